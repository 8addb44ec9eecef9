#include "profile/ladder.h"

#include <cmath>

#include "model/routing_weights.h"

namespace ladimo {

const std::vector<double>& ladder_levels() {
  static const std::vector<double> levels = {1.00, 0.96, 0.88, 0.79, 0.70, 0.61, 0.52,
                                             0.43, 0.34, 0.25, 0.17, 0.09, 0.02};
  return levels;
}

CutThresholds cut_thresholds(const InputProfile& profile) {
  constexpr double step = 0.04, least = 0.3, least_neurons = 0.1;  // shares that stay
  CutThresholds thresholds;
  for (const Product product : all_products) {
    auto& rising = thresholds[static_cast<std::size_t>(product)];
    const HistogramCounts& sizes = profile.of(product);
    if (sizes.empty()) continue;
    for (double share = 1 - step; share > (product == Product::down ? least_neurons : least) - 1e-9;
         share -= step)
      if (const double threshold = threshold_of_share(sizes, share);
          threshold > histogram_low && (rising.empty() || threshold > rising.back()))
        rising.push_back(threshold);
  }
  return thresholds;
}

ModelPolicy uniform_cuts(const std::vector<InputProfile>& layers, double share) {
  ModelPolicy policy(layers.size());
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (const Product product : all_products)
      if (const HistogramCounts& sizes = layers[l].of(product); !sizes.empty())
        policy[l].cut(product) = {threshold_of_share(sizes, share), share};
  return policy;
}

std::vector<LayerPolicy> sparse_candidates(const at::Tensor& routing_weights) {
  std::vector<LayerPolicy> candidates;
  const auto thresholds = thresholds_at(routing_weights, ladder_levels());
  const auto experts = static_cast<double>(routing_weights.size(1));
  for (std::size_t i = 0; i < thresholds.size(); ++i)
    candidates.push_back(LayerPolicy::above(thresholds[i], ladder_levels()[i] * experts));
  int last = -1;
  for (const double share : {1.0, 0.75, 0.5, 0.3, 0.12, 0.0}) {
    const int k = static_cast<int>(std::lround(share * experts));
    if (k != last) candidates.push_back(LayerPolicy::top(k));
    last = k;
  }
  return candidates;
}

}  // namespace ladimo
