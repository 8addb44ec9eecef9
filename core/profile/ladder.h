// The candidates that stage 2 chooses from.
#pragma once

#include <array>
#include <vector>

#include <ATen/core/Tensor.h>

#include "policy/layer_policy.h"
#include "policy/routing_profile.h"

namespace ladimo {

/// Shares of (token, expert) pairs that stay on at the ladder's thresholds, falling from 1.
const std::vector<double>& ladder_levels();

/// Sparse candidates of a layer: one threshold per ladder level (falling activity), then every useful top-k
/// (falling k; 0 runs the shared neurons alone). routing_weights [T, E] on held-out tokens.
std::vector<LayerPolicy> sparse_candidates(const at::Tensor& routing_weights);

/// Thresholds of single inputs, per product and rising.
using CutThresholds = std::array<std::vector<double>, all_products.size()>;

/// Thresholds that leave out more and more of the inputs of a layer's products. Empty for neurons that are
/// not known.
CutThresholds cut_thresholds(const InputProfile& profile);

/// Dense layers, each of whose products uses `share` of its inputs (TEAL's uniform sparsity, arXiv
/// 2408.14690).
ModelPolicy uniform_cuts(const std::vector<InputProfile>& layers, double share);

}  // namespace ladimo
