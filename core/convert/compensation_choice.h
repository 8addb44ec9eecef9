// What replaces the experts that are skipped: a vector for each of them, or one bias for all.
#pragma once

#include "convert/contributions.h"
#include "run/recipe.h"

namespace ladimo {

/// Gives `weights`, which already have their router, either a compensation vector per expert or one bias and
/// no compensation; neither where `settings.offsets` is off. Vectors depend on the experts that a token
/// skips, but reading those of all skipped experts takes parameters that could run an expert. Vectors are
/// chosen only where `settings.compensation` allows them and their error on validation rows is smaller by a
/// margin, at equal activated parameters and after the refit. A part of the rows is enough for that and for
/// the means. `thresholds` belong to the recipe's levels, and `variance` is that of the dense output.
MoeWeights with_compensation(const MoeWeights& weights, const LayerRows& rows,
                             const std::vector<double>& thresholds, double variance, const Stage1& settings,
                             const Context& context);

}  // namespace ladimo
