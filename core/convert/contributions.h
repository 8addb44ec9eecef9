// How much each routed expert contributes to a token, and what replaces it when it is skipped.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "base/context.h"
#include "convert/hidden_statistics.h"
#include "convert/partition.h"
#include "model/moe_layer.h"
#include "stream/layer_rows.h"

namespace ladimo {

/// The dense FFN in the partition's order, with zero router and compensation. It is exact when all experts
/// are on.
MoeWeights slice_ffn(const DenseFfn& ffn, const Partition& partition);

/// t_i(x) = ||E_i(x) - E[E_i]||_2 in units of the layer's mean output norm: what is missing when something
/// replaces the expert. Where nothing does (not `replaced`), ||E_i(x)||_2. h [T, f] -> [T, E].
class ContributionNorms {
 public:
  ContributionNorms(const MoeWeights& weights, const HiddenStatistics& statistics, bool replaced = true);
  at::Tensor operator()(const at::Tensor& h) const;

 private:
  const MoeWeights& weights_;
  at::Tensor mean_;  // [1, E, m] E[h]
  at::Tensor gram_;  // [E, m, m] D_i D_i^T: ||D_i^T v||^2 = v^T gram v, cheaper than forming the output
  double unit_;
};

/// The routing weights [T, E] of all rows.
at::Tensor route_rows(const MoeWeights& weights, const LayerRows& rows, const Context& context);

/// b_i = E[E_i(x) | i skipped], averaged over the thresholds. Where an expert is never skipped, its mean over
/// all tokens is used. [E, d].
at::Tensor conditional_compensation(const MoeWeights& weights, const LayerRows& rows,
                                    const at::Tensor& routing_weights, const std::vector<double>& thresholds,
                                    const Context& context);

/// Normalised squared error ||MoE(x) - y||^2 / `variance` at every threshold. routing_weights [T, E].
std::vector<double> elastic_errors(const MoeWeights& weights, const LayerRows& rows,
                                   const at::Tensor& routing_weights, const std::vector<double>& thresholds,
                                   double variance, const Context& context);
/// The mean of the errors over thresholds, and the mean of their logarithms.
double mean_error(const std::vector<double>& errors);
double mean_log_error(const std::vector<double>& errors);

}  // namespace ladimo
