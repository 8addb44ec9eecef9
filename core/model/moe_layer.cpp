#include "model/moe_layer.h"
#include "model/large_inputs.h"

#include <cmath>
#include <span>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros_like.h>

#include "base/error.h"
#include "base/interpolation.h"
#include "model/moe_fields.h"

namespace ladimo {
namespace {

at::Tensor top_k_mask(const at::Tensor& routing_weights, std::int64_t k) {
  const at::Tensor none = at::zeros_like(routing_weights, at::kBool);
  if (k <= 0) return none;
  const at::Tensor order = std::get<1>(at::sort(routing_weights, /*stable=*/true, 1, /*descending=*/true));
  return none.scatter(1, order.narrow(1, 0, std::min(k, routing_weights.size(1))), true);
}

}  // namespace

at::Tensor MoeWeights::route(const at::Tensor& x) const {
  auto input = x.to(at::kFloat);
  if (router_hidden.defined()) input = at::silu(at::linear(input, router_hidden, router_hidden_bias));
  return at::linear(input, router, router_bias);
}

double MoeWeights::shift_of(const LayerPolicy& policy) const {
  if (policy.kind == LayerPolicy::Kind::top_k)
    return 1 - 2 * static_cast<double>(policy.k) / static_cast<double>(routed());
  const at::Tensor columns = activity.t().contiguous();  // rising thresholds, their shares
  const auto count = static_cast<std::size_t>(columns.size(1));
  const std::span<const float> thresholds(columns.data_ptr<float>(), count);
  const std::span<const float> shares(thresholds.data() + count, count);
  const auto threshold = static_cast<float>(policy.threshold);
  if (threshold <= thresholds.front()) return 1 - 2 * static_cast<double>(shares.front());
  if (threshold > thresholds.back()) return 1 - 2 * static_cast<double>(shares.back());
  const auto i = line_at(thresholds, threshold);
  const float way = (threshold - thresholds[i - 1]) / (thresholds[i] - thresholds[i - 1]);
  return 1 - 2 * std::lerp(static_cast<double>(shares[i - 1]), static_cast<double>(shares[i]),
                           static_cast<double>(way));
}

MoeWeights MoeWeights::at(const LayerPolicy& policy) const {
  if (!moves()) return *this;
  const double c = shift_of(policy);
  MoeWeights moved = *this;
  moved.gate = at::add(gate, gate_shift, c);
  moved.up = at::add(up, up_shift, c);
  moved.down = at::add(down, down_shift, c);
  moved.gate_shift = moved.up_shift = moved.down_shift = moved.activity = at::Tensor();
  return moved;
}

at::Tensor MoeWeights::hidden(const at::Tensor& x) const { return swiglu(x, gate, up, gate_bias, up_bias); }

at::Tensor MoeWeights::routed_part(const at::Tensor& h) const {
  return h.narrow(1, shared_neurons, neurons() - shared_neurons)
      .view({h.size(0), routed(), expert_neurons()});
}

at::Tensor MoeWeights::combine(const at::Tensor& h, const at::Tensor& selected) const {
  const std::int64_t routed_neurons = neurons() - shared_neurons;
  const at::Tensor on = selected.to(h.scalar_type());
  const at::Tensor h_routed = (routed_part(h) * on.unsqueeze(2)).view({h.size(0), routed_neurons});
  at::Tensor y = at::mm(h.narrow(1, 0, shared_neurons), down.narrow(0, 0, shared_neurons));
  y.addmm_(h_routed, down.narrow(0, shared_neurons, routed_neurons));
  if (compensation.defined()) y.addmm_(1 - on, compensation);
  return down_bias.defined() ? y.add_(down_bias) : y;
}

MoeShape MoeWeights::shape() const {
  MoeShape shape;
  shape.hidden_size = hidden_size();
  shape.shared_neurons = shared_neurons;
  shape.routed = routed();
  shape.expert_neurons = expert_neurons();
  shape.router_parameters =
      router_parameters(hidden_size(), routed(), router_hidden.defined() ? router_hidden.size(0) : 0);
  shape.skipped_parameters = compensation.defined() ? static_cast<double>(hidden_size()) : 0;
  shape.neuron_biases = gate_bias.defined();
  shape.output_bias = down_bias.defined();
  return shape;
}

MoeWeights MoeWeights::to(at::Device device, at::ScalarType dtype) const {
  MoeWeights result = *this;
  for (const MoeField& field : moe_fields)
    if (at::Tensor& tensor = result.*field.tensor; tensor.defined())
      tensor = tensor.to(field.device(device), field.dtype(dtype));
  return result;
}

MoeWeights MoeWeights::rounded(at::ScalarType storage) const {
  return to(gate.device(), storage).to(gate.device(), gate.scalar_type());
}

at::Tensor select_experts(const at::Tensor& routing_weights, const LayerPolicy& policy) {
  switch (policy.kind) {
    case LayerPolicy::Kind::threshold:
      return routing_weights >= policy.threshold;
    case LayerPolicy::Kind::top_k:
      return top_k_mask(routing_weights, policy.k);
    case LayerPolicy::Kind::dense:
      break;
  }
  throw Error("A dense layer selects no experts.");
}

at::Tensor experts_per_token(const at::Tensor& selected) {
  return selected.sum(1, /*keepdim=*/false, at::kFloat);
}

/// How many of the neurons h [T, f] that run under a selection [T, E] are not zero: [T] fp32.
at::Tensor MoeLayer::used_running(const at::Tensor& h, const at::Tensor& selected) const {
  const at::Tensor used = (h != 0).to(at::kFloat);
  return used.narrow(1, 0, weights_->shared_neurons).sum(1) +
         (weights_->routed_part(used).sum(2) * selected.to(at::kFloat)).sum(1);
}

MoeLayer::MoeLayer(std::shared_ptr<const MoeWeights> weights, LayerPolicy policy)
    : weights_(weights->moves() ? std::make_shared<const MoeWeights>(weights->at(policy))
                                : std::move(weights)),
      policy_(std::move(policy)) {
  if (policy_.cut(Product::down).threshold > 0) norm_ = weights_->down.to(at::kFloat).norm(2, 1);
}

FfnOutput MoeLayer::forward(const at::Tensor& x, const at::Tensor& first) const {
  const at::Tensor selected = select(x), experts = experts_per_token(selected);
  const double input_threshold = policy_.cut(Product::gate_up).threshold;
  if (input_threshold <= 0 && !norm_.defined())
    return {weights_->combine(weights_->hidden(x), selected), experts};
  const at::Tensor inputs = large_inputs(x, input_threshold, first);
  at::Tensor h = weights_->hidden(inputs);
  if (norm_.defined()) h = large_neurons(h, norm_, policy_.cut(Product::down).threshold, first);
  const auto d = static_cast<double>(x.size(1));
  const at::Tensor running = experts * static_cast<double>(weights_->expert_neurons()) +
                             static_cast<double>(weights_->shared_neurons);
  at::Tensor left_out = (d - used_inputs(inputs)) * running * 2;
  if (input_threshold <= 0) left_out.zero_();
  if (norm_.defined()) left_out.add_((running - used_running(h, selected)) * d);
  return {weights_->combine(h, selected), experts, left_out};
}

}  // namespace ladimo
