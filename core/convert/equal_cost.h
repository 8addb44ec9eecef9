// Choices within a layer are made at equal activated parameters: what one choice costs more is taken from the
// experts that may run.
#pragma once

#include <vector>

#include "convert/contributions.h"

namespace ladimo {

/// At most 8192 of the training rows, evenly spread, and all of validation.
CalibrationRows thinned(const CalibrationRows& rows);

/// Routed activity levels at which `weights` uses as many parameters per token as `reference` does at
/// `levels`; within 0 ... 1.
std::vector<double> levels_at_equal_cost(const MoeWeights& weights, const MoeWeights& reference,
                                         const std::vector<double>& levels);

}  // namespace ladimo
