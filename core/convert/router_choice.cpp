#include <ATen/ATen.h>

#include "convert/equal_cost.h"
#include "convert/router_fit.h"
#include "model/routing_weights.h"

namespace ladimo {
namespace {

// What a small router must be better by (in the logarithm of the error, at equal cost): refit and
// distillation win less back behind a router that knows less.
constexpr double margin = 0.1;

/// Mean ln(error) on validation rows, with compensation, where as many parameters are used as with the linear
/// router at the recipe's levels.
double log_error(MoeWeights weights, const MoeWeights& linear, const CalibrationRows& rows,
                 const std::vector<double>& levels, double variance, const Context& context) {
  const auto routing_weights = weights.route(rows.x);
  const auto fitted = routing_weights.slice(0, 0, rows.training);
  const auto thresholds = thresholds_at(fitted, levels_at_equal_cost(weights, linear, levels));
  weights.compensation = conditional_compensation(weights, rows.train(), fitted, thresholds, context);
  return mean_log_error(elastic_errors(weights, rows.validation(), routing_weights.slice(0, rows.training),
                                       thresholds, variance, context));
}

}  // namespace

RouterFit choose_router(const MoeWeights& weights, const HiddenStatistics& statistics,
                        const CalibrationRows& rows, const Stage1& settings, const Random& random,
                        const Context& context) {
  const auto targets = contribution_targets(weights, statistics, rows, context);
  auto best = fit_router(rows, targets, settings.router_ridge, context);
  if (settings.router_ranks.empty()) return best;
  const auto linear = best.in(weights);
  const auto judges = thinned(rows);
  const auto judge = [&](const MoeWeights& candidate) {
    return log_error(candidate, linear, judges, settings.levels, statistics.output_variance, context);
  };
  double least = judge(linear) - margin;
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
