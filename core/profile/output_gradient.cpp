#include "profile/output_gradient.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mv.h>
#include <ATen/ops/silu.h>

namespace ladimo {

at::Tensor OutputGradient::Line::at(double c) const {
  return slope.defined() ? at::add(start, slope, c) : start;
}

OutputGradient::OutputGradient(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& g)
    : weights_(weights) {
  const auto dtype = weights.gate.scalar_type();
  const auto product = [](const at::Tensor& rows, const at::Tensor& matrix, const at::Tensor& bias) {
    return matrix.defined() ? at::linear(rows, matrix, bias).to(at::kFloat) : at::Tensor();
  };
  const auto narrow_g = g.to(dtype);
  gate_ = {product(x, weights.gate, weights.gate_bias), product(x, weights.gate_shift, {})};
  up_ = {product(x, weights.up, weights.up_bias), product(x, weights.up_shift, {})};
  back_ = {product(narrow_g, weights.down, {}), product(narrow_g, weights.down_shift, {})};
  skipped_ = product(narrow_g, weights.compensation, {});
  if (weights.down_bias.defined()) constant_ = at::mv(g, weights.down_bias.to(at::kFloat));
  if (!weights.moves()) unmoved_ = parts(0);
}

OutputGradient::Parts OutputGradient::parts(double c) const {
  auto products = at::silu(gate_.at(c)).mul_(up_.at(c)).mul_(back_.at(c));
  return {products.narrow(1, 0, weights_.shared_neurons).sum(1), weights_.routed_part(products).sum(2)};
}

at::Tensor OutputGradient::under(const LayerPolicy& policy, const at::Tensor& selected) const {
  const auto [shared, experts] = weights_.moves() ? parts(weights_.shift_of(policy)) : unmoved_;
  const auto running = selected.to(at::kFloat);
  auto sum = shared + (experts * running).sum(1);
  if (skipped_.defined()) sum += (skipped_ * (1 - running)).sum(1);
  return constant_.defined() ? sum.add_(constant_) : sum;
}

}  // namespace ladimo
