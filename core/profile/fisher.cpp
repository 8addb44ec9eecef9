#include "profile/fisher.h"

#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/chunking.h"
#include "base/random.h"
#include "model/weight_source.h"

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

}  // namespace

void walk_sampled_gradient(const WeightSource& source, const Windows& windows, std::uint64_t seed,
                           const std::function<void(const BackwardChunk& chunk)>& see,
                           const std::function<void(std::int64_t windows)>& passed, const Context& context) {
  std::vector<ResidualStream> inputs;
  auto stream = ResidualStream::embedded(source, windows, context);
  Walk how;
  how.layers = source.config().layers;
  how.inputs = &inputs;
  how.passed = passed;
  walk(source, stream, how, context);
  auto gradient = head_gradient(source, stream, seed, context);
  walk_back(source, std::move(inputs), gradient, see, passed, context);
}

}  // namespace ladimo
