#include "convert/equal_cost.h"

#include <algorithm>

namespace ladimo {

std::vector<double> levels_at_equal_cost(const MoeShape& shape, const MoeShape& reference,
                                         const std::vector<double>& levels) {
  const auto all = static_cast<double>(shape.routed);
  const double none = shape.activated_parameters(0);
  const double experts = shape.activated_parameters(all) - none;
  std::vector<double> result;
  for (const double level : levels)
    result.push_back(std::clamp((reference.activated_parameters(level * all) - none) / experts, 0.0, 1.0));
  return result;
}

}  // namespace ladimo
