// What stands in for the experts that are skipped: a vector for each, or one bias for all.
#pragma once

#include "convert/contributions.h"
#include "run/recipe.h"

namespace ladimo {

/// `weights` (with their router and compensation vectors of any value) with a compensation vector per expert,
/// or with one bias and no compensation: a vector per expert is what a token would want, but reading those of
/// all skipped experts takes parameters that could run an expert. Of `settings.compensation` and what errs
/// less on validation rows, both at equal activated parameters and after the refit; decided on a part of the
/// rows, fitted on all that train. `routing_weights` [T, E] of all rows, `thresholds` those of the recipe's
/// levels, `variance` of the dense output.
MoeWeights with_compensation(const MoeWeights& weights, const LayerRows& rows,
                             const at::Tensor& routing_weights, const std::vector<double>& thresholds,
                             double variance, const Stage1& settings, const Context& context);

}  // namespace ladimo
