// Which neurons are always on, and which neurons form an expert together.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "base/context.h"
#include "base/random.h"
#include "convert/hidden_statistics.h"
#include "run/recipe.h"

namespace ladimo {

/// The new order of the neurons: first `shared_neurons`, then one expert after another.
struct Partition {
  std::vector<std::int64_t> permutation;  // [f]
  std::int64_t shared_neurons = 0;
  std::int64_t expert_neurons = 0;

  /// For every original neuron the routed expert that it belongs to, or -1 for a shared neuron.
  std::vector<int> owners() const;
};

/// The neurons of highest energy are shared. Balanced k-means on co-activation splits the others into equal
/// experts.
Partition partition_neurons(const DenseFfn& ffn, const HiddenStatistics& statistics, const LayerRows& rows,
                            const Recipe& recipe, Random random, const Context& context);
/// The rows on which co-activation is measured: at most `tokens` of them, evenly spread. [t, d]
at::Tensor feature_rows(const LayerRows& rows, std::int64_t tokens);

/// Co-activation marks of `neurons`. For each sampled token the largest `share` of |h_j| ||W_d[:, j]|| among
/// them is marked with 1. x [t, d] -> [neurons, t] fp32.
at::Tensor coactivation_marks(const DenseFfn& ffn, const HiddenStatistics& statistics, const at::Tensor& x,
                              const at::Tensor& neurons, double share);

/// Balanced k-means: points [n, t] into `clusters` of exactly n / clusters points each. Each Lloyd iteration
/// assigns by greatest regret within the capacities, and then exchanges pairs while that lowers the squared
/// distance. Returns the cluster of each point. Precondition: clusters divides n.
std::vector<int> balanced_kmeans(const at::Tensor& points, int clusters, Random random,
                                 const Context& context);

}  // namespace ladimo
