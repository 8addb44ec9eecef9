#include <algorithm>
#include <functional>

#include <ATen/ATen.h>

#include "convert/equal_cost.h"
#include "convert/router_fit.h"
#include "model/routing_weights.h"
#include "run/enough_rows.h"

namespace ladimo {
namespace {

// How much lower the logarithm of the error at equal cost must be with a small router. The refit, the
// distillation and above all the finish improve a layer less when its router is less exact.
constexpr double margin = 0.4;

/// Mean ln(error) on validation rows at these routed activity levels, with compensation.
double log_error(MoeWeights weights, const LayerRows& rows, const std::vector<double>& levels,
                 double variance, const Context& context) {
  const auto routing_weights = route_rows(weights, rows, context);
  const auto fitted = routing_weights.slice(0, 0, rows.training());
  const auto thresholds = thresholds_at(fitted, levels);
  weights.compensation = conditional_compensation(weights, rows.train(), fitted, thresholds, context);
  return mean_log_error(elastic_errors(weights, rows.validation(), routing_weights.slice(0, rows.training()),
                                       thresholds, variance, context));
}

}  // namespace

RouterFit choose_router(const MoeWeights& weights, const HiddenStatistics& statistics, const LayerRows& given,
                        const Stage1& settings, const Random& random, const Context& context) {
  const auto rows = given.thinned(rows_for_router(given.hidden_size()));
  const auto targets = contribution_targets(weights, statistics, settings.offsets, rows, context);
  auto best = fit_router(rows, targets, settings.router_ridge, settings.router_bias, context);
  if (settings.router_ranks.empty() || !settings.router_bias) return best;
  const auto linear = best.in(weights).shape();
  const auto judges = rows.thinned(rows_for_choices);
  // Every router is judged at the activated parameters that the linear router has at the recipe's levels.
  // `rank` is the number of hidden units in the price, 0 for the linear router.
  const auto judge = [&](const RouterFit& fit, int rank) {
    MoeShape shape = linear;
    shape.router_parameters = router_parameters(linear.hidden_size, linear.routed, rank);
    return log_error(fit.in(weights), judges, levels_at_equal_cost(shape, linear, settings.levels),
                     statistics.output_variance, context);
  };
  double least = judge(best, 0) - margin;
  auto ranks = settings.router_ranks;
  std::sort(ranks.begin(), ranks.end(), std::greater<>());
  RouterFit larger;
  for (const int rank : ranks) {
    // A smaller router is hardly more exact than a larger one. It is fitted only if it would win with equal
    // exactness.
    if (larger.hidden.defined() && judge(larger, rank) >= least) continue;
    auto fit = fit_hidden_router(rows, targets, rank, settings.router_ridge, random, context);
    const double error = judge(fit, rank);
    if (error < least) {
      least = error;
      best = fit;
    }
    larger = std::move(fit);
  }
  return best;
}

}  // namespace ladimo
