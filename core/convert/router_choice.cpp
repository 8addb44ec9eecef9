#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "convert/router_fit.h"
#include "model/routing_weights.h"

namespace ladimo {
namespace {

constexpr std::int64_t compensation_rows = 16384;
// What a small router must be better by (in the logarithm of the error, at equal cost): refit and
// distillation win less back behind a router that knows less.
constexpr double margin = 0.1;

/// Every n-th training row, and all of validation.
CalibrationRows thinned(const CalibrationRows& rows) {
  const auto stride = std::max<std::int64_t>(1, rows.training / compensation_rows);
  const auto pick = [&](const at::Tensor& t) {
    const auto training = t.slice(0, 0, rows.training, stride);
    return std::pair(at::cat({training, t.slice(0, rows.training)}), training.size(0));
  };
  const auto [x, training] = pick(rows.x);
  return {x, pick(rows.y).first, training};
}

/// Mean over the levels of the logarithm of the layer's error on validation rows, with compensation.
/// `dearer`: routed activity that the router's cost takes away.
double log_error(MoeWeights weights, const CalibrationRows& rows, std::vector<double> levels, double dearer,
                 double variance, const Context& context) {
  for (double& level : levels) level = std::clamp(level - dearer, 0.0, 1.0);
  const auto routing_weights = weights.route(rows.x);
  const auto fitted = routing_weights.slice(0, 0, rows.training);
  const auto thresholds = thresholds_at(fitted, levels);
  weights.compensation = conditional_compensation(weights, rows.train(), fitted, thresholds, context);
  const auto errors = elastic_errors(weights, rows.validation(), routing_weights.slice(0, rows.training),
                                     thresholds, variance, context);
  double sum = 0;
  for (const double error : errors) sum += std::log(std::max(error, 1e-9));
  return sum / static_cast<double>(errors.size());
}

}  // namespace

RouterFit choose_router(const MoeWeights& weights, const HiddenStatistics& statistics,
                        const CalibrationRows& rows, const Stage1& settings, const Random& random,
                        const Context& context) {
  auto best = fit_router(weights, statistics, rows, settings.router_ridge, context);
  if (settings.router_ranks.empty()) return best;
  const auto linear = best.in(weights);
  const auto judges = thinned(rows);
  const double experts =
      linear.activated_parameters(static_cast<double>(weights.routed())) - linear.activated_parameters(0);
  const auto judge = [&](const MoeWeights& candidate) {
    const double dearer = (candidate.router_parameters() - linear.router_parameters()) / experts;
    return log_error(candidate, judges, settings.levels, dearer, statistics.output_variance, context);
  };
  double least = judge(linear) - margin;
  const auto targets = contribution_targets(weights, statistics, rows, context);
  for (const int rank : settings.router_ranks) {
    auto fit = fit_hidden_router(rows, targets, rank, settings.router_ridge, random, context);
    const double error = judge(fit.in(weights));
    if (error >= least) continue;
    least = error;
    best = std::move(fit);
  }
  return best;
}

}  // namespace ladimo
