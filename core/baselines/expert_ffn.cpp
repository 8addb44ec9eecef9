#include "baselines/expert_ffn.h"

#include <utility>

#include <ATen/TensorOperators.h>

namespace ladimo {

MoeShape shape_of(const MoeWeights& weights, const ExpertChoice& choice) {
  MoeShape shape = weights.shape();
  shape.router_parameters = choice.router_parameters;
  shape.skipped_parameters = choice.skipped_parameters;
  return shape;
}

ExpertFfn::ExpertFfn(std::shared_ptr<const MoeWeights> weights, ExpertChoice choice)
    : weights_(std::move(weights)), choice_(std::move(choice)) {}

FfnOutput ExpertFfn::forward(const at::Tensor& x, const at::Tensor&) const {
  const at::Tensor h = weights_->hidden(x);
  const at::Tensor on = choice_.weights(x, h);
  return {weights_->combine(h, on), (on != 0).sum(1, /*keepdim=*/false, at::kFloat)};
}

}  // namespace ladimo
