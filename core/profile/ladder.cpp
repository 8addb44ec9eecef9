#include "profile/ladder.h"

#include <cmath>

#include "model/routing_weights.h"

namespace ladimo {

const std::vector<double>& ladder_levels() {
  static const std::vector<double> levels = {1.00, 0.96, 0.88, 0.79, 0.70, 0.61, 0.52,
                                             0.43, 0.34, 0.25, 0.17, 0.09, 0.02};
  return levels;
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
