// The candidates that stage 2 chooses from.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "policy/layer_policy.h"

namespace ladimo {

/// Shares of (token, expert) pairs that stay on at the ladder's thresholds, falling from 1.
const std::vector<double>& ladder_levels();

/// Sparse candidates of a layer: one threshold per ladder level (falling activity), then every useful top-k
/// (falling k; 0 runs the shared neurons alone). routing_weights [T, E] on held-out tokens.
std::vector<LayerPolicy> sparse_candidates(const at::Tensor& routing_weights);

}  // namespace ladimo
