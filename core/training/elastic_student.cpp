#include "training/elastic_student.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "stream/walk.h"

namespace ladimo {
namespace {

struct Trained {
  at::Tensor *tensor, *like;
  double pace = 1;  // factor on its learning rate
};

std::vector<Trained> trained(MoeWeights& weights) {
  // A router's readout needs large steps, because it was fitted to norms and not to the logits. Down and gate
  // need small ones: they are nearly right, and every step of down moves the output itself.
  constexpr double of_router = 12, of_down = 0.5, of_gate = 0.7;
  std::vector<Trained> all = {{&weights.gate, &weights.gate, of_gate},
                              {&weights.up, &weights.up},
                              {&weights.down, &weights.down, of_down},
                              {&weights.compensation, &weights.compensation},
                              {&weights.down_bias, &weights.down_bias},
                              {&weights.router, &weights.router, of_router},
                              {&weights.router_bias, &weights.router_bias, of_router},
                              {&weights.router_hidden, &weights.router_hidden},
                              {&weights.router_hidden_bias, &weights.router_hidden_bias},
                              {&weights.gate_shift, &weights.gate},
                              {&weights.up_shift, &weights.up},
                              {&weights.down_shift, &weights.down}};
  std::erase_if(all, [](const Trained& t) { return !t.tensor->defined(); });
  return all;
}

/// A converted layer at a threshold, differentiable with respect to its weights.
class ElasticFfn : public FeedForward {
 public:
  ElasticFfn(const MoeWeights& weights, double threshold, double slope, std::int64_t positions)
      : weights_(weights.at(LayerPolicy::above(threshold))),
        threshold_(threshold),
        slope_(slope),
        positions_(positions) {}

  FfnOutput forward(const at::Tensor& x) const override {
    const auto routing = weights_.route(x);
    // Window position 0 is left out, because its values may be far larger than all others.
    const auto others = routing.detach().view({-1, positions_, routing.size(1)}).slice(1, 1);
    const auto width = (slope_ * others.std()).clamp_min(1e-6);  // a constant router has none
    return {weights_.combine(weights_.hidden(x), differentiable_selection(routing, threshold_, width)), {}};
  }
  MoeShape shape() const override { return weights_.shape(); }

 private:
  MoeWeights weights_;
  double threshold_, slope_;
  std::int64_t positions_;
};

}  // namespace

at::Tensor differentiable_selection(const at::Tensor& routing_weights, double threshold,
                                    const at::Tensor& width) {
  const auto z = (routing_weights - threshold) / width;
  const auto at_rest = z.detach().sigmoid();
  const auto hard = (z.detach() >= 0).to(at::kFloat);
  if (!at::GradMode::is_enabled()) return hard;
  const auto margin = at_rest * (1 - at_rest);
  const auto drift = (margin * z).sum() / margin.sum().clamp_min(1e-12);
  // `drift` cancels out in the value. Only its gradient remains, the movement of the threshold.
  const auto soft = (z - (drift - drift.detach())).sigmoid();
  return hard + (soft - soft.detach());
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

ElasticStudent::ElasticStudent(const WeightSource& source, ConvertedLayers layers, double slope)
    : source_(source), moe_(std::move(layers)), slope_(slope) {
  for (std::int64_t l = 0; l < source.config().layers; ++l) decoder_.push_back(source.layer(l));
  for (auto& weights : moe_) {
    if (!weights) continue;
    for (const auto& [tensor, like, pace] : trained(*weights)) {
      step_sizes_.push_back(pace * like->detach().square().mean().sqrt().item<double>());
      *tensor = tensor->detach().clone().set_requires_grad(true);
      parameters_.push_back(*tensor);
    }
  }
}

at::Tensor ElasticStudent::forward(const Windows& windows, const SliderPosition& position) const {
  const Context context;
  // In fp32 whatever other streams are kept as: gradients flow through it.
  auto stream = ResidualStream::embedded(source_, windows, context, at::kFloat);
  Walk how;
  how.layers = std::ssize(decoder_);
  how.together = windows.count();
  how.load = [&](std::int64_t l) {
    const auto i = static_cast<std::size_t>(l);
    auto layer = decoder_[i];
    if (position[i]) layer.ffn = std::make_shared<ElasticFfn>(*moe_[i], *position[i], slope_, windows.window);
    return layer;
  };
  walk(source_, stream, how, context);
  return stream.read(0, windows.count());
}

ResidualStream ElasticStudent::dense(const Windows& windows, const Context& context) const {
  auto stream = ResidualStream::embedded(source_, windows, context);
  Walk how;
  how.layers = std::ssize(decoder_);
  how.load = [&](std::int64_t l) { return decoder_[static_cast<std::size_t>(l)]; };
  walk(source_, stream, how, context);
  return stream;
}

ConvertedLayers ElasticStudent::layers() const {
  auto copies = moe_;
  for (auto& weights : copies)
    if (weights)
      for (const auto& one : trained(*weights)) *one.tensor = one.tensor->detach().clone();
  return copies;
}

}  // namespace ladimo
