#include "training/finish_slider.h"

#include <cmath>
#include <memory>
#include <utility>

#include "profile/routing.h"
#include "run/estimate.h"

namespace ladimo {
namespace {

/// Candidates of thresholds alone.
CandidateTable threshold_candidates(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                                    const Windows& windows, const Context& context) {
  auto candidates = measure_routing(source, moe, recipe.layers, windows, context).candidates;
  for (auto& row : candidates)
    std::erase_if(row, [](const LayerPolicy& c) { return c.kind != LayerPolicy::Kind::threshold; });
  return candidates;
}

/// A table with estimated sensitivities and with the activity that the thresholds were made for.
TradeoffTable estimated_table(const WeightSource& source, const MoeLayers& moe,
                              const CandidateTable& candidates, const Recipe& recipe, const Windows& windows,
                              const Context& context) {
  const auto kl = estimate_sensitivity(source, moe, candidates, {}, windows, recipe.seed, context).candidates;
  const ModelConfig& config = source.config();
  const auto dense = static_cast<double>(config.ffn_parameters_per_layer());
  TradeoffTable table;
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

SliderPosition position_of(const ModelPolicy& policy) {
  SliderPosition position(policy.size());
  for (std::size_t l = 0; l < policy.size(); ++l)
    if (policy[l].kind == LayerPolicy::Kind::threshold) position[l] = policy[l].threshold;
  return position;
}

FinishSlider::FinishSlider(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                           const Windows& calibration, at::ScalarType storage, const Context& context)
    : source_(source), moe_(moe), shifts_(recipe.stage1.elastic && recipe.finish.shift) {
  constexpr double routed = 0.25;  // share of the time that the routing profile takes
  const auto windows = some_windows(calibration, finish_table_tokens / calibration.window + 1);
  candidates_ = threshold_candidates(source, moe, recipe, windows, context.part(0, routed));
  const MoeLayers first = {
      [&](int l) { return std::make_shared<const MoeWeights>(first_layer(l).rounded(storage)); }, moe.shape};
  const auto table = estimated_table(source, first, candidates_, recipe, windows, context.part(routed, 1));
  frontier_.emplace(table, nullptr, Cost::activated);
  if (!recipe.stage1.elastic) budgets_ = budgets_of_levels(table, moe, recipe);
}

Policy FinishSlider::draw(int stretch, Random& random) const {
  constexpr double crowding = 1.8;  // how densely the stretches crowd towards the cheap end
  if (!budgets_.empty()) return frontier_->at_budget(budgets_[random.below(budgets_.size())]);
  const double to_cheapest = 1 - (stretch + random.uniform()) / stretches;
  return frontier_->at_tradeoff(1 - std::pow(to_cheapest, crowding));
}

MoeWeights FinishSlider::first_layer(int layer) const {
  auto weights = *moe_.load(layer);
  if (!shifts_) return weights;
  return with_shifts(std::move(weights), *source_.dense_ffn(layer),
                     candidates_[static_cast<std::size_t>(layer)]);
}

}  // namespace ladimo
