// The router: a prediction of every routed expert's contribution.
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

  /// Returns `weights` with this router.
  MoeWeights in(MoeWeights weights) const;
};

/// The contribution norms [T, E] of all rows, which routers learn to predict. `replaced` as ContributionNorms
/// has it.
at::Tensor contribution_targets(const MoeWeights& weights, const HiddenStatistics& statistics, bool replaced,
                                const LayerRows& rows, const Context& context);

/// Ridge regression of the contribution norms `targets` [T, E] on x, and on 1 if there is to be a bias, in
/// closed form: (XᵀX + λI) w = Xᵀt, with λ = `ridge` times the mean of XᵀX's diagonal. Without a bias it is
/// 0. Throws Error when the inputs are degenerate (not positive definite).
RouterFit fit_router(const LayerRows& rows, const at::Tensor& targets, double ridge, bool bias,
                     const Context& context);

/// The share of the targets' variance [n, E] that a prediction explains, over all experts.
double explained(const at::Tensor& predicted, const at::Tensor& targets);

/// Fits router silu(hidden x) with `rank` hidden units to `targets` [T, E]: Adam on both layers, then ridge
/// regression for the readout. A router of small rank is cheaper than the linear one and often better.
RouterFit fit_hidden_router(const LayerRows& rows, const at::Tensor& targets, int rank, double ridge,
                            Random random, const Context& context);

/// Chooses between the linear router and routers with a hidden layer of the recipe's ranks. The layer with
/// the smallest error on validation rows wins, all at the same activated parameters: a router that costs more
/// leaves fewer parameters for its experts. A small router must be better by a margin, because the refit, the
/// distillation and the finish improve the layer less when its router is less exact. Ranks are tried from
/// large to small. A smaller one is tried only where it would win if it were as exact as the last one tried.
RouterFit choose_router(const MoeWeights& weights, const HiddenStatistics& statistics, const LayerRows& rows,
                        const Stage1& settings, const Random& random, const Context& context);

}  // namespace ladimo
