// The router: a linear prediction of every routed expert's contribution.
#pragma once

#include "base/context.h"
#include "base/random.h"
#include "convert/contributions.h"
#include "run/recipe.h"

namespace ladimo {

struct RouterFit {
  at::Tensor weight;               // [E, d], or [E, r] after a hidden layer
  at::Tensor bias;                 // [E]
  double r2 = 0;                   // share of the contribution norms' variance explained on validation rows
  at::Tensor hidden, hidden_bias;  // [r, d], [r]; undefined for a linear router

  /// `weights` with this router.
  MoeWeights in(MoeWeights weights) const;
};

/// The contribution norms of all rows: what routers predict. [T, E].
at::Tensor contribution_targets(const MoeWeights& weights, const HiddenStatistics& statistics,
                                const LayerRows& rows, const Context& context);

/// Ridge regression of the contribution norms `targets` [T, E] on x, in closed form: (XᵀX + λI) w = Xᵀt with
/// λ = `ridge` times the mean of XᵀX's diagonal. Throws Error when the inputs are degenerate (not positive
/// definite).
RouterFit fit_router(const LayerRows& rows, const at::Tensor& targets, double ridge, const Context& context);

/// Share of the targets' variance [n, E] that a prediction explains, over all experts.
double explained(const at::Tensor& predicted, const at::Tensor& targets);

/// The targets of fit_router() from `rank` hidden units: router silu(hidden x). Adam on both layers, then the
/// readout by ridge regression. For small ranks cheaper than the linear router and often better. `targets`
/// [T, E].
RouterFit fit_hidden_router(const LayerRows& rows, const at::Tensor& targets, int rank, double ridge,
                            Random random, const Context& context);

/// The linear router, or one with a hidden layer of the recipe's ranks: that whose layer errs least on
/// validation rows, all at the same activated parameters: what a router costs is taken from the experts it
/// may run. A small router must be better by a margin, because the refit, the distillation and the finish
/// improve the layer less when its router is less exact. Ranks are tried from large to small, smaller ones
/// only where they would win if they were as exact as the last one tried.
RouterFit choose_router(const MoeWeights& weights, const HiddenStatistics& statistics, const LayerRows& rows,
                        const Stage1& settings, const Random& random, const Context& context);

}  // namespace ladimo
