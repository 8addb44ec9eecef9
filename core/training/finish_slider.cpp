#include "training/finish_slider.h"

#include <cmath>
#include <memory>
#include <utility>

#include "profile/routing.h"
#include "run/estimate.h"

namespace ladimo {
namespace {

/// The candidates of one kind.
CandidateTable of_kind(CandidateTable candidates, LayerPolicy::Kind kind) {
  for (auto& row : candidates) std::erase_if(row, [&](const LayerPolicy& c) { return c.kind != kind; });
  return candidates;
}

/// A table with estimated sensitivities and with the activity that the candidates were made for.
TradeoffTable estimated_table(const WeightSource& source, const MoeLayers& moe,
                              const CandidateTable& candidates, const Recipe& recipe, const Windows& windows,
                              const Context& context) {
  const auto kl = estimate_sensitivity(source, moe, candidates, {}, windows, recipe.seed, context).candidates;
  const ModelConfig& config = source.config();
  const auto dense = static_cast<double>(config.ffn_parameters_per_layer());
  TradeoffTable table;
  table.routed = recipe.routed();
  table.other_activated = static_cast<double>(config.activated_outside_ffns());
  for (std::size_t l = 0; l < candidates.size(); ++l) {
    LayerTable layer{static_cast<int>(l), {{LayerPolicy::dense(), 0, dense}}};
    const auto shape = candidates[l].empty() ? MoeShape() : moe.shape(layer.layer);
    for (std::size_t c = 0; c < candidates[l].size(); ++c)
      layer.candidates.push_back(
          {candidates[l][c], kl[l][c], shape.activated_parameters(candidates[l][c].mean_experts)});
    table.layers.push_back(std::move(layer));
  }
  return table;
}

/// Activated parameters of the whole model with all layers at one of the recipe's levels, for every level.
std::vector<double> budgets_of_levels(const TradeoffTable& table, const MoeLayers& moe,
                                      const Recipe& recipe) {
  std::vector<double> budgets;
  for (const double level : recipe.stage1.levels) {
    double budget = table.other_activated;
    for (const LayerTable& layer : table.layers)
      budget += layer.candidates.size() == 1
                    ? layer.candidates.front().activated
                    : moe.shape(layer.layer).activated_parameters(level * recipe.routed());
    budgets.push_back(budget);
  }
  return budgets;
}

}  // namespace

FinishSlider::FinishSlider(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                           const Windows& calibration, at::ScalarType storage, const Context& context)
    : source_(source), moe_(moe), shifts_(recipe.stage1.elastic && recipe.finish.shift) {
  constexpr double routed = 0.25;  // share of the time that the routing profile takes
  const auto windows = some_windows(calibration, finish_table_tokens / calibration.window + 1);
  const auto measured =
      measure_routing(source, moe, recipe.layers, windows, context.part(0, routed)).candidates;
  thresholds_ = of_kind(measured, LayerPolicy::Kind::threshold);
  const MoeLayers first = {
      [&](int l) { return std::make_shared<const MoeWeights>(first_layer(l).rounded(storage)); }, moe.shape};
  const bool top_k = recipe.stage1.top_k;
  const auto table =
      estimated_table(source, first, top_k ? of_kind(measured, LayerPolicy::Kind::top_k) : thresholds_,
                      recipe, windows, context.part(routed, 1));
  if (top_k && !recipe.target.empty()) {
    const auto& target = moe_class_named(recipe.target);
    of_class_.emplace(table, target.in_transformers, shape_in(target, moe.shape(recipe.layers.front())));
  } else {
    frontier_.emplace(table, nullptr, Cost::activated, std::vector<Pin>(),
                      top_k ? Kinds::top_k : Kinds::threshold);
  }
  if (!recipe.stage1.elastic) budgets_ = budgets_of_levels(table, moe, recipe);
}

Policy FinishSlider::at_tradeoff(double tradeoff) const {
  return of_class_ ? of_class_->at_tradeoff(tradeoff) : frontier_->at_tradeoff(tradeoff);
}

Policy FinishSlider::at_budget(double budget) const {
  if (!of_class_) return frontier_->at_budget(budget);
  const PolicyNumbers& some = of_class_->all().front().predicted;
  return of_class_->at_activated(budget * some.activated_fraction / some.activated_parameters);
}

Policy FinishSlider::draw(int stretch, Random& random) const {
  constexpr double crowding = 1.8;  // how densely the stretches crowd towards the cheap end
  if (!budgets_.empty()) return at_budget(budgets_[random.below(budgets_.size())]);
  const double to_cheapest = 1 - (stretch + random.uniform()) / stretches;
  return at_tradeoff(1 - std::pow(to_cheapest, crowding));
}

MoeWeights FinishSlider::first_layer(int layer) const {
  auto weights = *moe_.load(layer);
  if (!shifts_) return weights;
  return with_shifts(std::move(weights), *source_.dense_ffn(layer),
                     thresholds_[static_cast<std::size_t>(layer)]);
}

}  // namespace ladimo
