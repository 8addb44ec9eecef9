// The router: a linear prediction of every routed expert's contribution (method.md 3.3).
#pragma once

#include "base/context.h"
#include "convert/contributions.h"

namespace ladimo {

struct RouterFit {
  at::Tensor weight;  // [E, d]
  at::Tensor bias;    // [E]
  double r2 = 0;      // share of the contribution norms' variance explained on validation rows
};

/// Ridge regression of the contribution norms on x, in closed form: (XᵀX + λI) w = Xᵀt with λ = `ridge` times
/// the mean of XᵀX's diagonal. Throws Error when the inputs are degenerate (not positive definite).
RouterFit fit_router(const MoeWeights& weights, const HiddenStatistics& statistics,
                     const CalibrationRows& rows, double ridge, const Context& context);

}  // namespace ladimo
