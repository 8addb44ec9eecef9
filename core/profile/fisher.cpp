#include <algorithm>
#include <iterator>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/random.h"
#include "evaluate/distributions.h"
#include "stream/side_by_side.h"
#include "profile/sensitivity.h"

namespace ladimo {
namespace {

constexpr std::int64_t kept_bytes = std::int64_t{1} << 30;    // layer inputs of one group of windows
constexpr std::int64_t hidden_bytes = std::int64_t{8} << 20;  // one [tokens, neurons] fp32 matrix

/// One next token for every row of logits, by inversion of the cumulative distribution.
at::Tensor sample_tokens(const at::Tensor& log_p, Random& random) {
  std::vector<float> uniform(static_cast<std::size_t>(log_p.size(0)));
  for (float& u : uniform) u = static_cast<float>(random.uniform());
  const auto cumulative = log_p.exp().cumsum(1);
  const auto target = at::tensor(uniform).to(log_p.device()).unsqueeze(1) * cumulative.slice(1, -1);
  return at::searchsorted(cumulative, target).clamp_max(log_p.size(1) - 1);  // [rows, 1]
}

/// The gradient of sum_t ln p(sampled token_t) with respect to the last hidden states [n, W, d]. The last
/// position of a window predicts nothing that is scored; its gradient is zero.
at::Tensor head_gradient(const WeightSource& source, const at::Tensor& h, Random& random) {
  const auto d = h.size(2);
  const auto rows = Distributions::rows_at_once(source.config().vocab_size);
  auto gradient = at::zeros_like(h, at::kFloat);
  const auto inputs = h.slice(1, 0, h.size(1) - 1).reshape({-1, d});
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < inputs.size(0); begin += rows) {
    at::AutoGradMode with_gradients(true);
    const auto part =
        inputs.slice(0, begin, std::min(begin + rows, inputs.size(0))).detach().set_requires_grad(true);
    const auto log_p = source.head().logits(part).to(at::kFloat).log_softmax(1);
    const auto tokens = sample_tokens(log_p.detach(), random);
    parts.push_back(torch::autograd::grad({log_p.gather(1, tokens).sum()}, {part})[0].to(at::kFloat));
  }
  gradient.slice(1, 0, h.size(1) - 1).copy_(at::cat(parts).view({h.size(0), h.size(1) - 1, d}));
  return gradient;
}

/// Adds 1/2 (g . delta)² of every token to each candidate's sum. x, y, g [T, d]: the FFN's inputs, its
/// outputs, the gradients there.
void add_errors(const MoeWeights& weights, const std::vector<LayerPolicy>& candidates, const at::Tensor& x,
                const at::Tensor& y, const at::Tensor& g, std::vector<double>& sums) {
  const auto routing_weights = weights.route(x);
  const auto hidden = weights.moves() ? at::Tensor() : weights.hidden(x);
  side_by_side(x.device(), std::ssize(candidates), [&](std::int64_t i) {
    const auto c = static_cast<std::size_t>(i);
    const auto moved = weights.at(candidates[c]);
    const auto delta = moved.combine(hidden.defined() ? hidden : moved.hidden(x),
                                     select_experts(routing_weights, candidates[c])) -
                       y;
    sums[c] += 0.5 * (g * delta).sum(1).to(at::kDouble).square().sum().item<double>();
  });
}

/// One layer in reverse: scores the candidates with the gradient at the layer's output and returns that at
/// its input.
at::Tensor layer_backward(const DecoderLayer& layer, const Rotary& rotary, const at::Tensor& input,
                          const at::Tensor& gradient, const std::shared_ptr<const MoeWeights>& weights,
                          const std::vector<LayerPolicy>& candidates, std::vector<double>& sums) {
  at::AutoGradMode with_gradients(true);
  const auto h = input.detach().set_requires_grad(true);
  const auto attended = layer.attend(h, rotary);
  const auto x = layer.ffn_input(attended);
  const auto y = layer.ffn->forward(x.flatten(0, 1)).y;
  if (weights) {
    at::AutoGradMode without_gradients(false);
    const auto rows = x.detach().flatten(0, 1), g = gradient.flatten(0, 1);
    const auto chunk = std::max<std::int64_t>(1, hidden_bytes / (4 * weights->neurons()));
    for (std::int64_t begin = 0; begin < rows.size(0); begin += chunk) {
      const auto part = [&](const at::Tensor& t) { return t.slice(0, begin, begin + chunk); };
      add_errors(*weights, candidates, part(rows), part(y.detach()), part(g), sums);
    }
  }
  return torch::autograd::grad({attended + y.view_as(attended)}, {h}, {gradient.to(h.scalar_type())})[0].to(
      at::kFloat);
}

}  // namespace

Sensitivity estimate_sensitivity(const WeightSource& source, const MoeProvider& moe,
                                 const CandidateTable& candidates, const Windows& windows, std::uint64_t seed,
                                 const Context& context) {
  const auto layers = source.config().layers;
  const auto w = windows.window;
  Sensitivity result;
  for (const auto& row : candidates) result.emplace_back(row.size(), 0.0);
  const auto group = std::clamp<std::int64_t>(kept_bytes / (layers * w * source.config().hidden_size * 4), 1,
                                              windows.count());
  Random random(seed, "fisher");
  Progress progress(context, 2 * layers * windows.count());
  for (std::int64_t begin = 0; begin < windows.count(); begin += group) {
    const auto n = std::min(group, windows.count() - begin);
    const auto ids =
        at::tensor(windows.tokens).slice(0, begin * w, (begin + n) * w).to(source.device(), at::kLong);
    std::vector<at::Tensor> inputs = {source.embedding().index_select(0, ids).view({n, w, -1})};
    for (std::int64_t l = 0; l < layers; ++l) {
      const auto layer = source.layer(l);
      const auto h = layer.attend(inputs.back(), source.rotary());
      inputs.push_back(h + layer.ffn->forward(layer.ffn_input(h).flatten(0, 1)).y.view_as(h));
      progress.advance(n);
    }
    auto gradient = head_gradient(source, inputs.back(), random);
    for (auto l = layers - 1; l >= 0; --l) {
      const auto index = static_cast<std::size_t>(l);
      inputs.pop_back();
      const auto weights = candidates[index].empty() ? nullptr : moe(static_cast<int>(l));
      gradient = layer_backward(source.layer(l), source.rotary(), inputs.back(), gradient, weights,
                                candidates[index], result[index]);
      progress.advance(n);
    }
  }
  const auto tokens = static_cast<double>(windows.count() * (w - 1));
  for (auto& row : result)
    for (double& value : row) value /= tokens;
  return result;
}

}  // namespace ladimo
