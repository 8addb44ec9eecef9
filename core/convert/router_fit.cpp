#include "convert/router_fit.h"

#include <ATen/ATen.h>

#include "convert/ridge.h"

namespace ladimo {

at::Tensor contribution_targets(const MoeWeights& weights, const HiddenStatistics& statistics, bool replaced,
                                const LayerRows& rows, const Context& context) {
  const ContributionNorms norms(weights, statistics, replaced);
  return in_chunks(rows.count(), chunk_rows(weights.neurons()), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    return norms(weights.hidden(rows.x(begin, end)));
  });
}

RouterFit fit_router(const LayerRows& rows, const at::Tensor& targets, double ridge, bool bias,
                     const Context& context) {
  const auto d = rows.hidden_size(), experts = targets.size(1), n = d + (bias ? 1 : 0);
  const auto wide = rows.options().dtype(at::kDouble);
  auto gram = at::zeros({n, n}, wide);
  auto moment = at::zeros({n, experts}, wide);
  for_chunks(rows.training(), chunk_rows(d), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto x = rows.x(begin, end);
    const auto a = bias ? with_one(x) : x;
    add_gram(gram, a);
    moment += at::mm(a.t(), targets.slice(0, begin, end));
  });
  const auto solution = ridge_solution(gram, moment, ridge);  // [n, E]

  RouterFit fit;
  fit.weight = solution.slice(0, 0, d).t().contiguous();
  fit.bias = bias ? solution[d].clone() : at::zeros({experts}, solution.options());
  const auto judges = rows.validation();
  const auto predicted = in_chunks(judges.count(), chunk_rows(d), [&](std::int64_t begin, std::int64_t end) {
    return at::addmm(fit.bias, judges.x(begin, end), fit.weight.t());
  });
  fit.r2 = explained(predicted, targets.slice(0, rows.training()));
  return fit;
}

double explained(const at::Tensor& predicted, const at::Tensor& targets) {
  const double variance = (targets - targets.mean(0)).square().sum().item<double>();
  return variance > 0 ? 1 - (predicted - targets).square().sum().item<double>() / variance : 0;
}

MoeWeights RouterFit::in(MoeWeights weights) const {
  weights.router = weight;
  weights.router_bias = bias;
  weights.router_hidden = hidden;
  weights.router_hidden_bias = hidden_bias;
  return weights;
}

}  // namespace ladimo
