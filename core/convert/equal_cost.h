// Choices within a layer are compared at equal activated parameters. A choice that costs more leaves fewer
// parameters for the experts.
#pragma once

#include <vector>

#include "policy/moe_shape.h"

namespace ladimo {

/// Routed activity levels, within 0 ... 1, at which a layer of this shape uses as many parameters per token
/// as `reference` does at `levels`. Both shapes have the same number of routed experts.
std::vector<double> levels_at_equal_cost(const MoeShape& shape, const MoeShape& reference,
                                         const std::vector<double>& levels);

}  // namespace ladimo
