#include "baselines/expert_ffn.h"

#include <utility>

#include <ATen/TensorOperators.h>

namespace ladimo {

ExpertFfn::ExpertFfn(std::shared_ptr<const MoeWeights> weights, ExpertChoice choice)
    : weights_(std::move(weights)), choice_(std::move(choice)) {}

FfnOutput ExpertFfn::forward(const at::Tensor& x) const {
  const at::Tensor h = weights_->hidden(x);
  const at::Tensor on = choice_.weights(x, h);
  return {weights_->combine(h, on), (on != 0).sum(1, /*keepdim=*/false, at::kFloat)};
}

double ExpertFfn::activated_parameters(double mean_experts) const {
  return expert_parameters(*weights_, choice_, mean_experts);
}

double expert_parameters(const MoeWeights& weights, const ExpertChoice& choice, double mean_experts) {
  const auto d = static_cast<double>(weights.hidden_size());
  const bool biases = weights.gate_bias.defined();
  const double neurons = static_cast<double>(weights.shared_neurons) +
                         mean_experts * static_cast<double>(weights.expert_neurons());
  return neurons * (3 * d + (biases ? 2 : 0)) + (biases ? d : 0) + choice.router_parameters +
         (static_cast<double>(weights.routed()) - mean_experts) * choice.skipped_parameters;
}

}  // namespace ladimo
