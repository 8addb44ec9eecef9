#include "convert/compensation_choice.h"

#include <ATen/ATen.h>

#include "convert/equal_cost.h"
#include "convert/refit.h"
#include "model/routing_weights.h"
#include "run/enough_rows.h"

namespace ladimo {
namespace {

// How much lower the logarithm of the error must be with a vector per expert. The distillation and the finish
// recover most of what a single bias loses.
constexpr double margin = 0.3;

enum class Offset { vectors, bias };

/// The cost of a layer when one bias replaces its compensation vectors.
MoeShape with_one_bias(MoeShape shape) {
  shape.skipped_parameters = 0;
  shape.output_bias = true;
  return shape;
}

/// Adds the offset to `weights`. The bias is the mean of all that is skipped, over tokens and thresholds.
/// `routing_weights` are those of the training rows.
MoeWeights with(Offset offset, MoeWeights weights, const LayerRows& training,
                const at::Tensor& routing_weights, const std::vector<double>& thresholds,
                const Context& context) {
  weights.compensation = conditional_compensation(weights, training, routing_weights, thresholds, context);
  if (offset == Offset::vectors) return weights;
  auto skipped = at::zeros({weights.routed()}, weights.gate.options());
  for (const double threshold : thresholds)
    skipped += (routing_weights < threshold).to(at::kFloat).mean(0) / static_cast<double>(thresholds.size());
  const auto mean = (weights.compensation * skipped.unsqueeze(1)).sum(0);
  weights.down_bias = weights.down_bias.defined() ? weights.down_bias + mean : mean;
  weights.compensation = at::Tensor();
  return weights;
}

/// Mean ln(error) on validation rows at equal activated parameters: as many as with vectors at the recipe's
/// levels.
double log_error(Offset offset, const MoeWeights& weights, const LayerRows& rows, double variance,
                 const Stage1& settings, const Context& context) {
  const auto routing_weights = route_rows(weights, rows, context);
  const auto fitted = routing_weights.slice(0, 0, rows.training());
  const MoeShape vectors = weights.shape();
  const MoeShape priced = offset == Offset::vectors ? vectors : with_one_bias(vectors);
  const auto thresholds = thresholds_at(fitted, levels_at_equal_cost(priced, vectors, settings.levels));
  const auto errors = [&](const MoeWeights& candidate) {
    return elastic_errors(candidate, rows.validation(), routing_weights.slice(0, rows.training()), thresholds,
                          variance, context);
  };
  const auto training = rows.train();
  auto candidate = with(offset, weights, training, fitted, thresholds, context);
  if (settings.refit)
    candidate =
        refit(candidate, training, fitted, thresholds, errors(candidate), settings.refit_ridge, context);
  return mean_log_error(errors(candidate));
}

}  // namespace

MoeWeights with_compensation(const MoeWeights& weights, const LayerRows& rows,
                             const std::vector<double>& thresholds, double variance, const Stage1& settings,
                             const Context& context) {
  if (!settings.offsets) {
    MoeWeights plain = weights;
    plain.compensation = at::Tensor();
    return plain;
  }
  auto offset = Offset::bias;
  const auto part = rows.thinned(rows_for_choices);
  if (settings.compensation) {
    const double vectors = log_error(Offset::vectors, weights, part, variance, settings, context);
    const double bias = log_error(Offset::bias, weights, part, variance, settings, context);
    if (vectors < bias - margin) offset = Offset::vectors;
  }
  const auto training = part.train();
  return with(offset, weights, training, route_rows(weights, training, context), thresholds, context);
}

}  // namespace ladimo
