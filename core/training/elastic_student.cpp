#include "training/elastic_student.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

namespace ladimo {
namespace {

struct Trained {
  at::Tensor *tensor, *like;
  double pace = 1;  // of its steps beside those of the others
};

std::vector<Trained> trained(MoeWeights& weights) {
  // A router's readout is far from where it should be: it was fitted to norms, not to what is wanted. Down
  // and gate are near, and every step of down moves the output itself.
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

}  // namespace

at::Tensor differentiable_selection(const at::Tensor& routing_weights, double threshold, double width) {
  const auto z = (routing_weights - threshold) / width;
  const auto at_rest = z.detach().sigmoid();
  const auto hard = (z.detach() >= 0).to(at::kFloat);
  if (!at::GradMode::is_enabled()) return hard;
  const auto margin = at_rest * (1 - at_rest);
  const auto drift = (margin * z).sum() / margin.sum().clamp_min(1e-12);
  // The value of `drift` is taken out again: only its gradient, the threshold's own movement, is wanted.
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
  weights.activity = at::tensor(points).view({-1, 2}).to(weights.router.device());
  return weights;
}

ElasticStudent::ElasticStudent(const WeightSource& source, std::vector<std::optional<MoeWeights>> layers,
                               double slope)
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

at::Tensor ElasticStudent::forward(const at::Tensor& ids, const SliderPosition& position) const {
  auto h = source_.embedding().index_select(0, ids.flatten()).view({ids.size(0), ids.size(1), -1});
  for (std::size_t l = 0; l < decoder_.size(); ++l) {
    const DecoderLayer& layer = decoder_[l];
    h = layer.attend(h, source_.rotary());
    const auto x = layer.ffn_input(h).flatten(0, 1);
    if (position.empty() || !position[l]) {
      h = h + layer.ffn->forward(x).y.view_as(h);
      continue;
    }
    const MoeWeights weights = moe_[l]->at(LayerPolicy::above(*position[l]));
    const auto routing = weights.route(x);
    // Window position 0 may be far larger than all others.
    const auto others = routing.detach().view({ids.size(0), ids.size(1), -1}).slice(1, 1);
    const double width = std::max(slope_ * others.std().item<double>(), 1e-6);  // a constant router has none
    const auto selected = differentiable_selection(routing, *position[l], width);
    h = h + weights.combine(weights.hidden(x), selected).view_as(h);
  }
  return h;
}

std::vector<std::optional<MoeWeights>> ElasticStudent::layers() const {
  auto copies = moe_;
  for (auto& weights : copies)
    if (weights)
      for (const auto& one : trained(*weights)) *one.tensor = one.tensor->detach().clone();
  return copies;
}

}  // namespace ladimo
