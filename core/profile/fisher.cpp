#include <iterator>
#include <memory>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/chunking.h"
#include "base/random.h"
#include "evaluate/distributions.h"
#include "profile/output_gradient.h"
#include "profile/sensitivity.h"
#include "stream/side_by_side.h"

namespace ladimo {
namespace {

/// Samples one next token for every row of logits, by inversion of the cumulative distribution.
at::Tensor sample_tokens(const at::Tensor& log_p, Random& random) {
  std::vector<float> uniform(static_cast<std::size_t>(log_p.size(0)));
  for (float& u : uniform) u = static_cast<float>(random.uniform());
  const auto cumulative = log_p.exp().cumsum(1);
  const auto target = at::tensor(uniform).to(log_p.device()).unsqueeze(1) * cumulative.slice(1, -1);
  return at::searchsorted(cumulative, target).clamp_max(log_p.size(1) - 1);  // [rows, 1]
}

/// The gradient of sum_t ln p(sampled token_t) with respect to the stream after the last layer, fp32. The
/// last position of a window predicts nothing that is scored, so its gradient is zero.
ResidualStream head_gradient(const WeightSource& source, const ResidualStream& last, std::uint64_t seed,
                             const Context& context) {
  const auto head = source.head();
  const auto rows = chunk_logit_rows(source.config().vocab_size);
  Random random(seed, "fisher");
  ResidualStream result(source, last.windows(), last.positions(), context, at::kFloat);
  const auto chunk = chunk_windows(source.config().intermediate_size, last.positions());
  for_chunks(last.windows(), chunk, [&](auto first, auto end) {
    context.check();
    const auto h = last.read(first, end);
    const auto inputs = h.slice(1, 0, h.size(1) - 1).reshape({-1, h.size(2)});
    std::vector<at::Tensor> parts;
    for_chunks(inputs.size(0), rows, [&](auto begin, auto stop) {
      const at::AutoGradMode with_gradients(true);
      const auto part = inputs.slice(0, begin, stop).detach().set_requires_grad(true);
      const auto log_p = head.logits(part).to(at::kFloat).log_softmax(1);
      const auto tokens = sample_tokens(log_p.detach(), random);
      parts.push_back(torch::autograd::grad({log_p.gather(1, tokens).sum()}, {part})[0].to(at::kFloat));
    });
    auto gradient = at::zeros_like(h, at::kFloat);
    gradient.slice(1, 0, h.size(1) - 1).copy_(at::cat(parts).view({h.size(0), h.size(1) - 1, h.size(2)}));
    result.write(first, gradient);
  });
  return result;
}

/// 1/2 (g . delta)^2 of every candidate, summed over tokens: [candidates] fp64. delta is the candidate's
/// output for x minus y; all are [T, d].
at::Tensor summed_errors(const MoeWeights& weights, const std::vector<LayerPolicy>& candidates,
                         const at::Tensor& x, const at::Tensor& y, const at::Tensor& g) {
  const auto routing_weights = weights.route(x);
  const OutputGradient output(weights, x, g);
  const auto dense = (g * y).sum(1);
  std::vector<at::Tensor> sums;
  for (const LayerPolicy& candidate : candidates) {
    const auto delta = output.under(candidate, select_experts(routing_weights, candidate)) - dense;
    sums.push_back(0.5 * delta.to(at::kDouble).square().sum());
  }
  return at::stack(sums);
}

/// Adds the errors of a chunk to `sum`, which begins undefined.
void add_errors(const MoeWeights& weights, const std::vector<LayerPolicy>& candidates,
                const BackwardChunk& chunk, at::Tensor& sum) {
  const auto &x = chunk.forward.x, &y = chunk.forward.y, &g = chunk.gradient;
  const auto rows = x.is_cpu() ? rows_compared : x.size(0);
  const auto blocks = (x.size(0) + rows - 1) / rows;
  std::vector<at::Tensor> sums(static_cast<std::size_t>(blocks));
  side_by_side(x.device(), blocks, rows * weights.neurons() * 4, [&](std::int64_t i) {
    const auto block = [&](const at::Tensor& t) { return t.slice(0, i * rows, (i + 1) * rows); };
    sums[static_cast<std::size_t>(i)] = summed_errors(weights, candidates, block(x), block(y), block(g));
  });
  for (const at::Tensor& more : sums) sum = sum.defined() ? sum + more : more;
}

}  // namespace

Sensitivity estimate_sensitivity(const WeightSource& source, const MoeLayers& moe,
                                 const CandidateTable& candidates, const Windows& windows, std::uint64_t seed,
                                 const Context& context) {
  const auto layers = source.config().layers;
  Progress progress(context, 2 * layers * windows.count());
  const auto passed = [&](std::int64_t n) { progress.advance(n); };
  std::vector<ResidualStream> inputs;
  auto stream = ResidualStream::embedded(source, windows, context);
  Walk how;
  how.layers = layers;
  how.inputs = &inputs;
  how.passed = passed;
  walk(source, stream, how, context);
  auto gradient = head_gradient(source, stream, seed, context);

  std::vector<at::Tensor> sums(candidates.size());
  std::shared_ptr<const MoeWeights> weights;
  std::int64_t loaded = layers;
  const auto see = [&](const BackwardChunk& chunk) {
    const auto l = static_cast<std::size_t>(chunk.forward.layer);
    if (candidates[l].empty()) return;
    if (loaded != chunk.forward.layer) {
      weights.reset();  // before the next one is loaded
      weights = moe.load(static_cast<int>(loaded = chunk.forward.layer));
    }
    add_errors(*weights, candidates[l], chunk, sums[l]);
  };
  walk_back(source, std::move(inputs), gradient, see, passed, context);
  const auto tokens = static_cast<double>(windows.count() * (windows.window - 1));
  Sensitivity sensitivity;
  for (const at::Tensor& sum : sums) {
    auto& values = sensitivity.emplace_back();
    if (!sum.defined()) continue;
    const auto means = (sum / tokens).to(at::kCPU);
    values.assign(means.data_ptr<double>(), means.data_ptr<double>() + means.numel());
  }
  return sensitivity;
}

}  // namespace ladimo
