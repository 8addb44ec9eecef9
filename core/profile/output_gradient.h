// The output of a converted layer, multiplied with a gradient, for many policies.
#pragma once

#include <ATen/core/Tensor.h>

#include "model/moe_layer.h"

namespace ladimo {

/// g . MoE(x) of every token, where g is a gradient with respect to the layer's output. The parts of all
/// experts are computed once, so a policy costs no product with the weights: g . down h = (down^T g) . h, and
/// where weights move along the slider, every product is a straight line over the movement c.
class OutputGradient {
 public:
  /// x [T, d] in the dtype of the weights, g [T, d] in fp32.
  OutputGradient(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& g);

  /// g . MoE(x) [T] fp32, under a sparse policy that runs the experts of `selected` [T, E].
  at::Tensor under(const LayerPolicy& policy, const at::Tensor& selected) const;

 private:
  /// A product that is start + c slope; `slope` is undefined where weights do not move.
  struct Line {
    at::Tensor start, slope;
    at::Tensor at(double c) const;
  };
  /// What neurons contribute.
  struct Parts {
    at::Tensor shared;   // [T] of all shared neurons
    at::Tensor experts;  // [T, E]
  };
  Parts parts(double c) const;

  const MoeWeights& weights_;
  Line gate_, up_, back_;  // [T, f] gate x, up x, down^T g
  at::Tensor skipped_;     // [T, E] of the compensation of every expert; undefined without
  at::Tensor constant_;    // [T] of the output's bias; undefined without
  Parts unmoved_;          // where weights do not move
};

}  // namespace ladimo
