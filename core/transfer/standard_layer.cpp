#include "transfer/standard_layer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

namespace ladimo {
namespace {

// Larger than any difference of two scores, which are between 0 and 1.
constexpr double always = 10;
// The sigmoid of a router that is exactly zero: llama.cpp computes it as silu(x) / x.
constexpr double nearly_zero = 1e-6;

bool is_zero(const TensorView& view) {
  std::vector<std::byte> buffer;
  return std::ranges::all_of(elements_of(view, 0, view.elements(), buffer),
                             [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

std::optional<std::string> objection(const MoeClass& target, const TensorStore& layer) {
  const auto has = [&](const char* name) { return layer.contains(name) && !is_zero(layer.at(name)); };
  if (layer.contains("router_hidden")) return "has only linear routers";
  if (!target.selection_bias && has("router_bias")) return "has no biases of routers";
  if (has("compensation")) return "adds nothing for experts that are skipped";
  if (has("down_bias")) return "has no bias of the FFN's output";
  const auto shared = layer.metadata().find("shared_neurons");
  if (shared != layer.metadata().end() && shared->second != "0" && !target.shared)
    return "has no expert that always runs";
  return std::nullopt;
}

double down_factor(const MoeClass& target, std::int64_t experts, std::int64_t k) {
  if (target.scores == MixingScores::sigmoid) return 1;  // Gating::scale does it
  return static_cast<double>(target.normalised ? k : experts);
}

StandardMoe standard_layer(const MoeClass& target, const MoeWeights& weights, std::int64_t k,
                           at::ScalarType storage) {
  const auto S = weights.shared_neurons, E = weights.routed(), m = weights.expert_neurons(),
             d = weights.hidden_size();
  const auto experts = [&](const at::Tensor& rows) { return rows.narrow(0, S, E * m).view({E, m, d}); };
  const auto stored = [&](const at::Tensor& tensor) {
    return tensor.to(storage).to(at::kFloat).contiguous();
  };
  StandardMoe layer;
  layer.gating = {target.scores, target.normalised, target.scores == MixingScores::sigmoid ? 2.0 : 1.0, k};
  layer.router = (weights.router.to(at::kFloat) * target.router_scale).contiguous();
  // A sigmoid has the slope 1/4 at 0.
  if (target.selection_bias)
    layer.selection_bias = (weights.router_bias.to(at::kFloat) * (target.router_scale / 4)).contiguous();
  // Neurons of zeros fill up.
  const auto padded = [](const at::Tensor& rows, std::int64_t to) {
    return at::constant_pad_nd(rows, {0, 0, 0, to - rows.size(-2)});
  };
  const MoeShape shape = shape_in(target, weights.shape());
  const auto expert_rows = [&](const at::Tensor& rows) {
    return padded(experts(rows), shape.expert_neurons);
  };
  layer.gate = stored(expert_rows(weights.gate));
  layer.up = stored(expert_rows(weights.up));
  layer.down = stored(expert_rows(weights.down).transpose(1, 2) * down_factor(target, E, k));
  if (!target.shared || (S == 0 && !target.needs_shared)) return layer;
  const auto rows = [&](const at::Tensor& all) { return padded(all.narrow(0, 0, S), shape.shared_neurons); };
  layer.shared_gate = stored(rows(weights.gate));
  layer.shared_up = stored(rows(weights.up));
  layer.shared_down = stored(rows(weights.down).t() * (target.shared_gated ? 2 : 1));
  if (target.shared_gated) layer.shared_router = at::full({1, d}, nearly_zero, layer.router.options());
  return layer;
}

MoeWeights weights_of(const MoeClass& target, const StandardMoe& layer) {
  const auto E = layer.experts();
  const auto rows = [&](const at::Tensor& shared, const at::Tensor& experts) {
    return shared.defined() ? at::cat({shared, experts.flatten(0, 1)}) : experts.flatten(0, 1).contiguous();
  };
  MoeWeights weights;
  weights.gate = rows(layer.shared_gate, layer.gate);
  weights.up = rows(layer.shared_up, layer.up);
  const auto down = layer.down.transpose(1, 2) / down_factor(target, E, layer.gating.k);
  const auto shared_down =
      layer.shared_down.defined() ? layer.shared_down.t() / (target.shared_gated ? 2 : 1) : at::Tensor();
  weights.down = rows(shared_down, down);
  weights.shared_neurons = layer.shared_gate.defined() ? layer.shared_gate.size(0) : 0;
  weights.router = layer.router / target.router_scale;
  weights.router_bias = layer.selection_bias.defined() ? layer.selection_bias / (target.router_scale / 4)
                                                       : at::zeros({E}, layer.router.options());
  weights.permutation = at::arange(weights.neurons(), weights.gate.options().dtype(at::kLong));
  return weights;
}

std::int64_t null_experts(const MoeClass& target, std::int64_t experts, const KRange& ks) {
  const std::int64_t needed = target.selection_bias && experts == 1 ? 1 : 0;
  return std::max(ks.most - ks.least, needed);
}

StandardMoe with_null_experts(StandardMoe layer, std::int64_t nulls, std::int64_t k) {
  if (nulls == 0) return layer;
  const auto added = [&](at::Tensor& tensor) {
    auto shape = tensor.sizes().vec();
    shape[0] = nulls;
    tensor = at::cat({tensor, at::zeros(shape, tensor.options())});
  };
  const auto chosen = k - layer.gating.k;
  for (at::Tensor* tensor : {&layer.router, &layer.gate, &layer.up, &layer.down, &layer.selection_bias})
    added(*tensor);
  auto bias = layer.selection_bias.slice(0, layer.selection_bias.size(0) - nulls);
  bias.slice(0, 0, chosen).fill_(always);
  bias.slice(0, chosen).fill_(-always);
  layer.gating.k = k;
  return layer;
}

StandardMoe with_null_experts(const MoeClass& target, StandardMoe layer, const KRange& ks,
                              std::int64_t policy_k) {
  const auto nulls = null_experts(target, layer.experts(), ks);
  // More than the policy says run where shared neurons became experts.
  const auto k = ks.most + (layer.gating.k - policy_k);
  return with_null_experts(std::move(layer), nulls, k);
}

}  // namespace ladimo
