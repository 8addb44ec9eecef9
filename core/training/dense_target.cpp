#include "training/dense_target.h"

#include <algorithm>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "evaluate/distributions.h"
#include "stream/walk.h"

namespace ladimo {

DenseTarget::DenseTarget(const WeightSource& source, const Windows& windows, const Context& context)
    : source_(source), head_(source.head()), dense_(ResidualStream::embedded(source, windows, context)) {
  Walk how;
  how.layers = source.config().layers;
  walk(source, dense_, how, context);
}

std::pair<double, at::Tensor> DenseTarget::kl_gradient(const at::Tensor& h,
                                                       std::span<const std::int64_t> windows,
                                                       double weight) const {
  const at::AutoGradMode with_gradients(true);
  const auto w = h.size(1), d = h.size(2);
  const auto predicting = [&](const at::Tensor& t) { return t.slice(1, 1, w - 1).reshape({-1, d}); };
  const auto index = at::tensor(at::ArrayRef<std::int64_t>(windows.data(), windows.size()));
  const auto inputs = predicting(h.detach()), targets = predicting(dense_.read(index));
  if (inputs.size(0) == 0) return {0, at::zeros_like(h)};  // windows of two tokens predict none
  const auto rows = chunk_logit_rows(source_.config().vocab_size);
  double loss = 0;
  std::vector<at::Tensor> parts;
  for (std::int64_t begin = 0; begin < inputs.size(0); begin += rows) {
    const auto end = std::min(begin + rows, inputs.size(0));
    const auto part = inputs.slice(0, begin, end).detach().set_requires_grad(true);
    const auto logits = head_.logits(part);
    const Distributions dense(head_.logits(targets.slice(0, begin, end)));
    const auto [kl, difference] =
        dense.kl_gradient(logits.detach(), weight / static_cast<double>(inputs.size(0)));
    loss += kl;
    parts.push_back(torch::autograd::grad({logits}, {part}, {difference.to(logits.scalar_type())})[0]);
  }
  auto gradient = at::zeros_like(h);
  gradient.slice(1, 1, w - 1).copy_(at::cat(parts).view({h.size(0), w - 2, d}));
  return {weight * loss / static_cast<double>(inputs.size(0)), gradient};
}

}  // namespace ladimo
