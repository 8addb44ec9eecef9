// Choices within a layer are made at equal activated parameters: what one choice costs more is taken from the
// experts that may run.
#pragma once

#include <vector>

#include "convert/contributions.h"
#include "policy/moe_shape.h"

namespace ladimo {

/// At most 8192 of the training rows, evenly spread, and all of validation.
LayerRows thinned(const LayerRows& rows);

/// Routed activity levels at which a layer of this shape uses as many parameters per token as `reference`
/// does at `levels`; within 0 ... 1. Both have the same number of routed experts.
std::vector<double> levels_at_equal_cost(const MoeShape& shape, const MoeShape& reference,
                                         const std::vector<double>& levels);

}  // namespace ladimo
