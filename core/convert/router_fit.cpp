#include "convert/router_fit.h"

#include <ATen/ATen.h>

#include "convert/ridge.h"

namespace ladimo {
namespace {

/// Calls `work(x, t)` for chunks of rows with their contribution norms t [c, E].
template <class Work>
void for_targets(const MoeWeights& weights, const ContributionNorms& norms, const CalibrationRows& rows,
                 const Context& context, Work&& work) {
  for_chunks(rows.count(), chunk_rows(weights.neurons()), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto x = rows.x.slice(0, begin, end);
    work(x, norms(weights.hidden(x)));
  });
}

}  // namespace

RouterFit fit_router(const MoeWeights& weights, const HiddenStatistics& statistics,
                     const CalibrationRows& rows, double ridge, const Context& context) {
  const auto d = weights.hidden_size(), experts = weights.routed();
  const ContributionNorms norms(weights, statistics);
  const auto wide = weights.gate.options().dtype(at::kDouble);
  auto gram = at::zeros({d + 1, d + 1}, wide);
  auto moment = at::zeros({d + 1, experts}, wide);
  for_targets(weights, norms, rows.train(), context, [&](const at::Tensor& x, const at::Tensor& t) {
    const auto a = with_one(x);
    add_gram(gram, a);
    moment += at::mm(a.t(), t);
  });
  const auto solution = ridge_solution(gram, moment, ridge);  // [d + 1, E]

  RouterFit fit;
  fit.weight = solution.slice(0, 0, d).t().contiguous();
  fit.bias = solution[d].clone();
  auto residual = at::zeros({experts}, wide), sum = at::zeros({experts}, wide),
       square = at::zeros({experts}, wide);
  for_targets(weights, norms, rows.validation(), context, [&](const at::Tensor& x, const at::Tensor& t) {
    residual += (at::addmm(fit.bias, x, fit.weight.t()) - t).square().sum(0);
    sum += t.sum(0);
    square += t.square().sum(0);
  });
  const auto count = static_cast<double>(rows.count() - rows.training);
  const double variance = (square - sum.square() / count).sum().item<double>();
  fit.r2 = variance > 0 ? 1 - residual.sum().item<double>() / variance : 0;
  return fit;
}

at::Tensor contribution_targets(const MoeWeights& weights, const HiddenStatistics& statistics,
                                const CalibrationRows& rows, const Context& context) {
  const ContributionNorms norms(weights, statistics);
  std::vector<at::Tensor> parts;
  for_targets(weights, norms, rows, context,
              [&](const at::Tensor&, const at::Tensor& t) { parts.push_back(t); });
  return at::cat(parts);
}

MoeWeights RouterFit::in(MoeWeights weights) const {
  weights.router = weight;
  weights.router_bias = bias;
  weights.router_hidden = hidden;
  weights.router_hidden_bias = hidden_bias;
  return weights;
}

}  // namespace ladimo
