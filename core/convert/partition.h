// Which neurons are always on, and which go together.
#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "base/context.h"
#include "base/random.h"
#include "convert/hidden_statistics.h"
#include "run/recipe.h"

namespace ladimo {

/// The new order of the neurons: `shared_neurons` first, then expert after expert.
struct Partition {
  std::vector<std::int64_t> permutation;  // [f]
  std::int64_t shared_neurons = 0;
  std::int64_t expert_neurons = 0;

  /// For every original neuron the routed expert it belongs to, -1 for the shared set.
  std::vector<int> owners() const;
};

/// Shared neurons by highest energy; the rest into equal experts by balanced k-means on co-activation.
Partition partition_neurons(const DenseFfn& ffn, const HiddenStatistics& statistics, const LayerRows& rows,
                            const Recipe& recipe, Random random, const Context& context);
/// The rows that co-activation is looked at on: at most `tokens` of them, evenly spread. [t, d]
at::Tensor feature_rows(const LayerRows& rows, std::int64_t tokens);

/// Co-activation marks of `neurons`: for each sampled token the strongest `share` of |h_j| ||W_d[:, j]||
/// among them are 1. x [t, d] -> [neurons, t] fp32.
at::Tensor coactivation_marks(const DenseFfn& ffn, const HiddenStatistics& statistics, const at::Tensor& x,
                              const at::Tensor& neurons, double share);

/// Balanced k-means: points [n, t] into `clusters` of exactly n / clusters points each. Lloyd iterations;
/// each assigns by greatest regret within the capacities and then exchanges pairs while that lowers the
/// squared distance. Returns the cluster of each point. Precondition: clusters divides n.
std::vector<int> balanced_kmeans(const at::Tensor& points, int clusters, Random random,
                                 const Context& context);

}  // namespace ladimo
