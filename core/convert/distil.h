// The distillation itself: Adam on gate, up, down and compensation. Every token has a random threshold, so
// that one set of weights serves every position of the slider.
#pragma once

#include <functional>
#include <vector>

#include "base/context.h"
#include "base/random.h"
#include "convert/contributions.h"
#include "run/recipe.h"

namespace ladimo {

/// Gradients of the loss with respect to gate, up, down [f, d] and compensation [E, d]. A layer without
/// compensation has the gradient of down_bias [d] instead.
struct MoeGradients {
  at::Tensor gate, up, down, offset;
};

/// Returns the loss sum_t row_weight_t ||MoE(x_t) - y_t||² (one number) and its gradients. They are computed
/// by hand because autograd would keep every intermediate tensor. x, y [T, d], mask [T, E] of 0 and 1,
/// row_weight [T, 1]. The products with gate, up and down are computed in `compute`, fp32 or bf16; everything
/// else is fp32.
std::pair<at::Tensor, MoeGradients> distillation_gradients(const MoeWeights& weights, const at::Tensor& x,
                                                           const at::Tensor& y, const at::Tensor& mask,
                                                           const at::Tensor& row_weight,
                                                           at::ScalarType compute);

struct Distillation {
  MoeWeights weights;  // the best on validation rows, or the input's where nothing was better
  std::vector<double> held_out_losses;  // mean over the recipe's levels, before and after every epoch
};

/// Distils one layer. The router stays fixed: `routing_weights` [T, E] are those of all rows, or their ranks
/// (model/routing_weights.h). `thresholds` belong to the recipe's levels, and `variance` is that of the dense
/// output. Stops after an epoch that is worse than the one before. `saw_rows` gets the indices [n] of
/// training rows as the first epoch goes through them.
Distillation distil(MoeWeights weights, const LayerRows& rows, const at::Tensor& routing_weights,
                    const std::vector<double>& thresholds, double variance, const Recipe& recipe, int layer,
                    const std::function<void(const at::Tensor& rows)>& saw_rows, const Context& context);

}  // namespace ladimo
