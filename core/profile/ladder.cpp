#include "profile/ladder.h"

#include <cmath>

#include "model/routing_weights.h"

namespace ladimo {

const std::vector<double>& ladder_levels() {
  static const std::vector<double> levels = {0.96, 0.90, 0.82, 0.74, 0.66, 0.58, 0.50,
                                             0.42, 0.34, 0.26, 0.18, 0.11, 0.05, 0.01};
  return levels;
}

std::vector<LayerPolicy> sparse_candidates(const at::Tensor& routing_weights) {
  std::vector<LayerPolicy> candidates;
  const auto thresholds = thresholds_at(routing_weights, ladder_levels());
  const auto experts = static_cast<double>(routing_weights.size(1));
  for (std::size_t i = 0; i < thresholds.size(); ++i)
    candidates.push_back(LayerPolicy::above(thresholds[i], ladder_levels()[i] * experts));
  int last = -1;
  for (const double share : {0.8, 0.6, 0.4, 0.25, 0.1, 0.0}) {
    const int k = static_cast<int>(std::lround(share * experts));
    if (k != last) candidates.push_back(LayerPolicy::top(k));
    last = k;
  }
  return candidates;
}

}  // namespace ladimo
