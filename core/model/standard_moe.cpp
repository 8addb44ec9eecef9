#include "model/standard_moe.h"

#include <tuple>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros_like.h>

namespace ladimo {
namespace {

/// 1 for the k greatest of every row, else 0. Scores are so close together that equal ones do occur. Of these
/// the same are taken as in transformers, by the same function with the same arguments.
at::Tensor greatest(const at::Tensor& scores, std::int64_t k) {
  const at::Tensor chosen = std::get<1>(at::topk(scores, k, 1, /*largest=*/true, /*sorted=*/false));
  return at::zeros_like(scores).scatter(1, chosen, 1);
}

}  // namespace

at::Tensor StandardMoe::mixing(const at::Tensor& x) const {
  const at::Tensor logits = at::linear(x.to(at::kFloat), router);
  at::Tensor weights;
  switch (gating.scores) {
    case MixingScores::sigmoid:
      weights = logits.sigmoid();
      break;
    case MixingScores::softmax:
      weights = logits.softmax(1);
      break;
    case MixingScores::softmax_of_chosen: {
      const at::Tensor chosen = greatest(logits, gating.k);
      return (logits - (1 - chosen) * 1e30).softmax(1) * chosen * gating.scale;
    }
  }
  weights = weights * greatest(selection_bias.defined() ? weights + selection_bias : weights, gating.k);
  if (gating.normalised) weights = weights / weights.sum(1, /*keepdim=*/true);
  return weights * gating.scale;
}

at::Tensor StandardMoe::shared_scale(const at::Tensor& x) const {
  return shared_router.defined() ? at::linear(x.to(at::kFloat), shared_router).sigmoid() : at::Tensor();
}

at::Tensor StandardMoe::routed_hidden(const at::Tensor& x) const {
  return swiglu(x, gate.flatten(0, 1), up.flatten(0, 1), {}, {})
      .view({x.size(0), experts(), expert_neurons()});
}

at::Tensor StandardMoe::shared_hidden(const at::Tensor& x) const {
  return swiglu(x, shared_gate, shared_up, {}, {});
}

FfnOutput StandardMoe::forward(const at::Tensor& x, const at::Tensor&) const {
  const at::Tensor weights = mixing(x);
  const at::Tensor h = routed_hidden(x) * weights.unsqueeze(2).to(x.scalar_type());
  at::Tensor y = at::mm(h.flatten(1), down.transpose(1, 2).flatten(0, 1));
  if (shared_gate.defined()) {
    at::Tensor shared = at::linear(shared_hidden(x), shared_down);
    if (const at::Tensor scale = shared_scale(x); scale.defined()) shared *= scale.to(x.scalar_type());
    y += shared;
  }
  return {y, (weights != 0).sum(1, /*keepdim=*/false, at::kFloat)};
}

MoeShape StandardMoe::shape() const {
  MoeShape shape;
  shape.hidden_size = router.size(1);
  shape.shared_neurons = shared_gate.defined() ? shared_gate.size(0) : 0;
  shape.routed = experts();
  shape.expert_neurons = expert_neurons();
  shape.router_parameters = static_cast<double>(router.numel());
  if (selection_bias.defined()) shape.router_parameters += static_cast<double>(selection_bias.numel());
  if (shared_router.defined()) shape.router_parameters += static_cast<double>(shared_router.numel());
  return shape;
}

}  // namespace ladimo
