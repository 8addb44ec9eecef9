#include "training/elastic_student.h"

#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "stream/walk.h"

namespace ladimo {
namespace {

using Member = at::Tensor MoeWeights::*;

/// A kind of parameter. A shift moves the weights `like`.
struct Kind {
  Member tensor, like;
  double pace = 1;  // factor on its learning rate
};

// A router's readout needs large steps, because it was fitted to norms and not to the logits. Down and gate
// need small ones: they are nearly right, and every step of down moves the output itself.
constexpr double of_router = 12, of_down = 0.5, of_gate = 0.7;
constexpr std::array kinds = {Kind{&MoeWeights::gate, &MoeWeights::gate, of_gate},
                              Kind{&MoeWeights::up, &MoeWeights::up},
                              Kind{&MoeWeights::down, &MoeWeights::down, of_down},
                              Kind{&MoeWeights::compensation, &MoeWeights::compensation},
                              Kind{&MoeWeights::down_bias, &MoeWeights::down_bias},
                              Kind{&MoeWeights::router, &MoeWeights::router, of_router},
                              Kind{&MoeWeights::router_bias, &MoeWeights::router_bias, of_router},
                              Kind{&MoeWeights::router_hidden, &MoeWeights::router_hidden},
                              Kind{&MoeWeights::router_hidden_bias, &MoeWeights::router_hidden_bias},
                              Kind{&MoeWeights::gate_shift, &MoeWeights::gate},
                              Kind{&MoeWeights::up_shift, &MoeWeights::up},
                              Kind{&MoeWeights::down_shift, &MoeWeights::down}};
constexpr std::size_t absent = -1;

std::size_t shift_of(std::size_t kind) {
  for (std::size_t k = 0; k < kinds.size(); ++k)
    if (k != kind && kinds[k].like == kinds[kind].tensor) return k;
  return absent;
}

/// A converted layer under a sparse policy, differentiable with respect to its weights.
class ElasticFfn : public FeedForward {
 public:
  ElasticFfn(const MoeWeights& weights, LayerPolicy policy, double slope, std::int64_t positions,
             at::ScalarType compute)
      : weights_(weights.to(weights.gate.device(), compute)),
        policy_(std::move(policy)),
        slope_(slope),
        positions_(positions) {}

  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor&) const override {
    const auto routing = weights_.route(x);
    // Window position 0 is left out, because its values may be far larger than all others.
    const auto others = routing.detach().view({-1, positions_, routing.size(1)}).slice(1, 1);
    const auto width = (slope_ * others.std()).clamp_min(1e-6);  // a constant router has none
    const auto selected = policy_.kind == LayerPolicy::Kind::top_k
                              ? differentiable_top_k(routing, policy_.k, width)
                              : differentiable_selection(routing, policy_.threshold, width);
    return {weights_.combine(weights_.hidden(x), selected), {}};
  }
  MoeShape shape() const override { return weights_.shape(); }

 private:
  MoeWeights weights_;
  LayerPolicy policy_;
  double slope_;
  std::int64_t positions_;
};

/// `hard` with the gradient of a sigmoid of z, minus its mean over what `sum` adds up.
template <class Sum>
at::Tensor with_soft_gradient(const at::Tensor& hard, const at::Tensor& z, Sum sum) {
  if (!at::GradMode::is_enabled()) return hard;
  const auto at_rest = z.detach().sigmoid();
  const auto margin = at_rest * (1 - at_rest);
  const auto drift = sum(margin * z) / sum(margin).clamp_min(1e-12);
  // `drift` cancels out in the value. Only its gradient remains, the movement of the threshold.
  const auto soft = (z - (drift - drift.detach())).sigmoid();
  return hard + (soft - soft.detach());
}

}  // namespace

at::Tensor differentiable_selection(const at::Tensor& routing_weights, double threshold,
                                    const at::Tensor& width) {
  const auto z = (routing_weights - threshold) / width;
  return with_soft_gradient((z.detach() >= 0).to(at::kFloat), z,
                            [](const at::Tensor& values) { return values.sum(); });
}

at::Tensor differentiable_top_k(const at::Tensor& routing_weights, std::int64_t k, const at::Tensor& width) {
  const auto hard = select_experts(routing_weights.detach(), LayerPolicy::top(static_cast<int>(k)));
  if (k <= 0) return hard.to(at::kFloat);
  const auto last = std::get<0>(routing_weights.detach().topk(k, 1)).slice(1, k - 1);
  return with_soft_gradient(hard.to(at::kFloat), (routing_weights - last) / width,
                            [](const at::Tensor& values) { return values.sum(1, /*keepdim=*/true); });
}

MoeWeights with_shifts(MoeWeights weights, const DenseFfn& ffn, const std::vector<LayerPolicy>& thresholds) {
  std::vector<float> points;
  for (const LayerPolicy& policy : thresholds) {
    points.push_back(static_cast<float>(policy.threshold));
    points.push_back(static_cast<float>(policy.mean_experts / static_cast<double>(weights.routed())));
  }
  if (points.empty()) return weights;
  const auto permuted = [&](const at::Tensor& rows) { return rows.index_select(0, weights.permutation); };
  weights.gate_shift = weights.gate - permuted(ffn.gate);
  weights.up_shift = weights.up - permuted(ffn.up);
  weights.down_shift = weights.down - permuted(ffn.down.t());
  weights.activity = at::tensor(points).view({-1, 2});
  return weights;
}

void ElasticPass::differentiate(const at::Tensor& gradient, std::vector<at::Tensor>& sums) const {
  std::vector<at::Tensor> leaves;
  for (const Used& one : used) leaves.push_back(one.tensor);
  const auto gradients = torch::autograd::grad({h}, leaves, {gradient}, false, false, true);
  const at::NoGradGuard without_gradients;
  const auto add = [&](std::size_t parameter, const at::Tensor& more, double factor) {
    auto& sum = sums[parameter];
    if (!sum.defined()) sum = at::zeros_like(more);
    sum.add_(more, factor);
  };
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!gradients[i].defined()) continue;
    add(used[i].parameter, gradients[i], 1);
    if (used[i].shift) add(*used[i].shift, gradients[i], used[i].movement);
  }
}

ElasticStudent::ElasticStudent(const WeightSource& source, std::int64_t first, ConvertedLayers layers,
                               double slope, at::ScalarType compute)
    : source_(source), moe_(std::move(layers)), slope_(slope), compute_(compute) {
  const WeightSource narrow(source.checkpoint(), source.device(), compute);
  for (std::int64_t l = 0; l < std::ssize(moe_); ++l) decoder_.push_back(narrow.layer(first + l));
  for (auto& weights : moe_) {
    auto& places = places_.emplace_back(kinds.size(), absent);
    if (!weights) continue;
    for (std::size_t k = 0; k < kinds.size(); ++k) {
      const auto& [tensor, like, pace] = kinds[k];
      if (!((*weights).*tensor).defined()) continue;
      const double size = ((*weights).*like).square().mean().sqrt().item<double>();
      // A bias of zeros stays none, as a format may have none.
      if (tensor == &MoeWeights::router_bias && size == 0) continue;
      step_sizes_.push_back(pace * size);
      places[k] = parameters_.size();
      parameters_.push_back((*weights).*tensor = ((*weights).*tensor).clone());
    }
  }
}

/// The weights of a converted layer under a sparse policy. Those that are trained are leaves of autograd.
MoeWeights ElasticStudent::used_at(std::size_t layer, const LayerPolicy& policy,
                                   std::vector<ElasticPass::Used>& used) const {
  const MoeWeights& weights = *moe_[layer];
  const double movement = weights.moves() ? weights.shift_of(policy) : 0;
  const at::NoGradGuard without_gradients;
  MoeWeights moved = weights.at(policy);
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    at::Tensor& tensor = moved.*kinds[k].tensor;
    if (!tensor.defined() || places_[layer][k] == absent) continue;
    tensor = tensor.detach().set_requires_grad(true);
    const std::size_t shift = shift_of(k);
    const bool moves = shift != absent && places_[layer][shift] != absent;
    used.push_back(
        {tensor, places_[layer][k], moves ? std::optional(places_[layer][shift]) : std::nullopt, movement});
  }
  return moved;
}

ElasticPass ElasticStudent::forward(const at::Tensor& h, const ModelPolicy& policy) const {
  ElasticPass pass;
  pass.h = walk_together(source_, h, std::ssize(decoder_), [&](std::int64_t l) {
    const auto i = static_cast<std::size_t>(l);
    auto layer = decoder_[i];
    if (policy[i].kind != LayerPolicy::Kind::dense)
      layer.ffn = std::make_shared<ElasticFfn>(used_at(i, policy[i], pass.used), policy[i], slope_, h.size(1),
                                               compute_);
    return layer;
  });
  return pass;
}

void ElasticStudent::round(at::ScalarType storage) {
  for (auto& weights : moe_) {
    if (!weights) continue;
    const auto rounded = weights->rounded(storage);
    for (const Kind& kind : kinds)
      if (const at::Tensor& tensor = (*weights).*kind.tensor; tensor.defined())
        tensor.copy_(rounded.*kind.tensor);
  }
}

ConvertedLayers ElasticStudent::layers() const {
  auto copies = moe_;
  for (auto& weights : copies)
    if (weights)
      for (const Kind& kind : kinds)
        if (at::Tensor& tensor = (*weights).*kind.tensor; tensor.defined()) tensor = tensor.clone();
  return copies;
}

}  // namespace ladimo
