#include "policy/frontier.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "policy/knapsack.h"
#include "policy/predictor.h"

namespace ladimo {
namespace {

constexpr double grid = 2048;  // units of the FFNs' dense cost

std::map<int, LayerPolicy> pins_by_layer(const std::vector<Pin>& pins) {
  std::map<int, LayerPolicy> by_layer;
  for (const Pin& pin : pins)
    if (!by_layer.emplace(pin.layer, pin.policy).second)
      throw Refusal(fmt::format("Layer {} is pinned twice.", pin.layer), "Give one pin per layer.");
  return by_layer;
}

bool among(Kinds kinds, LayerPolicy::Kind kind) {
  return kind == LayerPolicy::Kind::dense || kinds == Kinds::mixed ||
         (kinds == Kinds::top_k) == (kind == LayerPolicy::Kind::top_k);
}

const LatencyTable* needed_for(Cost cost, const LatencyTable* latency) {
  if (cost == Cost::decode_ms && latency == nullptr)
    throw Refusal("The run has no measured decode times.",
                  "To finish the run, {continue_run}; or set {cost} to activated.");
  return latency;
}

}  // namespace

Kinds parse_kinds(std::string_view text) {
  if (text == "mixed") return Kinds::mixed;
  if (text == "threshold") return Kinds::threshold;
  if (text == "top_k") return Kinds::top_k;
  throw Refusal(fmt::format("\"{}\" is not a kind of policy.", text), "Use threshold, top_k or mixed.");
}

// Costs in this struct are sums over the layers, as the tables have them ("table costs"). The public costs
// are those of the whole model, corrected for joint activity.
struct Frontier::Solved {
  TradeoffTable table;
  std::optional<LatencyTable> latency;
  Cost cost;
  Kinds kinds;
  Predictor predictor;
  std::vector<LayerPolicy> fixed;                // [layers] a pinned layer's policy, else dense
  std::vector<std::size_t> free;                 // layers that are not pinned
  std::vector<std::vector<std::size_t>> option;  // [free][option] index into the layer's candidates
  double dense = 0;                              // table cost with all layers dense
  double base = 0;  // table cost with pinned layers as pinned and the others dense
  double pinned_kl = 0;
  double unit = 1;
  std::optional<Knapsack> knapsack;

  Solved(const TradeoffTable& tradeoff, const LatencyTable* times, Cost what, const std::vector<Pin>& pins,
         Kinds which)
      : table(which == Kinds::top_k ? judged_by_top_k(tradeoff) : tradeoff),
        latency(times == nullptr ? std::nullopt : std::optional(*times)),
        cost(what),
        kinds(which),
        predictor(table, latency ? &*latency : nullptr),
        fixed(table.layers.size()) {
    auto pinned = pins_by_layer(pins);
    for (auto& [layer, policy] : pinned) pin(layer, policy);
    std::vector<std::vector<KnapsackOption>> options;
    for (std::size_t l = 0; l < table.layers.size(); ++l) {
      const double dense_layer = cost_of(table.layers[l].candidates.front());
      dense += dense_layer;
      if (pinned.contains(static_cast<int>(l))) continue;
      base += dense_layer;
      free.push_back(l);
      options.push_back(options_of(table.layers[l]));
    }
    if (dense > 0) unit = dense / grid;
    knapsack.emplace(options, unit);
  }
  Solved(const Solved&) = delete;
  Solved& operator=(const Solved&) = delete;

  double cost_of(const Candidate& candidate) const {
    return cost == Cost::activated ? candidate.activated : predictor.decode_ms(candidate.policy);
  }

  void pin(int layer, const LayerPolicy& policy) {
    const Candidate candidate = predictor.evaluate(layer, policy);
    fixed[static_cast<std::size_t>(layer)] = candidate.policy;
    base += cost_of(candidate);
    pinned_kl += candidate.kl;
  }

  /// The options of a layer: dense first, then every candidate that costs no more than dense.
  std::vector<KnapsackOption> options_of(const LayerTable& layer) {
    const double dense_layer = cost_of(layer.candidates.front());
    std::vector<KnapsackOption> options;
    auto& indices = option.emplace_back();
    for (std::size_t c = 0; c < layer.candidates.size(); ++c) {
      const double saving = dense_layer - cost_of(layer.candidates[c]);
      if (saving < 0 || !among(kinds, layer.candidates[c].policy.kind)) continue;
      options.push_back({layer.candidates[c].kl, saving});
      indices.push_back(c);
    }
    return options;
  }

  double model_cost(double table_cost) const {
    return cost == Cost::activated ? table.other_activated + predictor.activity()(table_cost)
                                   : latency->other_decode_ms + table_cost;
  }
  double table_cost(double model_cost) const {
    return cost == Cost::activated ? predictor.activity().inverse(model_cost - table.other_activated)
                                   : model_cost - latency->other_decode_ms;
  }
  double model_cost(const Knapsack::Solution& solution) const { return model_cost(base - solution.saving); }

  double tradeoff_of(double model_budget) const {
    const double dense_model = model_cost(dense);
    const double range = dense_model - model_cost(knapsack->cheapest());
    return range > 0 ? std::clamp((dense_model - model_budget) / range, 0.0, 1.0) : 0;
  }

  Policy policy_of(const Knapsack::Solution& solution, double tradeoff) const {
    Policy policy{table.fingerprint, cost, tradeoff, fixed, {}, {}};
    for (std::size_t i = 0; i < free.size(); ++i) {
      const std::size_t candidate = option[i][static_cast<std::size_t>(solution.choice[i])];
      policy.layers[free[i]] = table.layers[free[i]].candidates[candidate].policy;
    }
    policy.predicted = predictor.numbers(policy.layers);
    return policy;
  }

  Knapsack::Solution solve(double model_budget) const {
    return knapsack->at(base - table_cost(model_budget));
  }

  Point point_of(const Knapsack::Solution& solution) const {
    const double total = model_cost(solution);
    return {total, predictor.kl()(pinned_kl + solution.kl), tradeoff_of(total)};
  }
};

Frontier::Frontier(const TradeoffTable& table, const LatencyTable* latency, Cost cost,
                   const std::vector<Pin>& pins, Kinds kinds)
    : solved_(std::make_shared<const Solved>(table, needed_for(cost, latency), cost, pins, kinds)) {}

Policy Frontier::at_budget(double budget) const {
  return solved_->policy_of(solved_->solve(budget), solved_->tradeoff_of(budget));
}

Policy Frontier::at_tradeoff(double tradeoff) const {
  const double budget = (1 - tradeoff) * dense_cost() + tradeoff * cheapest_cost();
  return solved_->policy_of(solved_->solve(budget), tradeoff);
}

Policy Frontier::at_max_kl(double kl) const {
  const double limit = solved_->predictor.kl().inverse(kl) - solved_->pinned_kl;
  const auto solution = solved_->knapsack->within(limit);
  return solved_->policy_of(solution, solved_->tradeoff_of(solved_->model_cost(solution)));
}

double Frontier::dense_cost() const { return solved_->model_cost(solved_->dense); }
double Frontier::accurate_cost() const { return solved_->model_cost(solved_->knapsack->at(0)); }
double Frontier::cheapest_cost() const { return solved_->model_cost(solved_->knapsack->cheapest()); }
bool Frontier::beats_dense() const { return cheapest_cost() < dense_cost(); }

std::vector<Frontier::Point> Frontier::points(int count) const {
  std::vector<Point> distinct;
  for (const auto& solution : solved_->knapsack->all()) {
    const Point point = solved_->point_of(solution);
    if (!distinct.empty() && point.cost <= distinct.back().cost) distinct.pop_back();
    distinct.push_back(point);
  }
  const auto wanted = static_cast<std::size_t>(std::max(count, 2));
  if (distinct.size() <= wanted) return distinct;
  std::vector<Point> spread;
  for (std::size_t i = 0; i < wanted; ++i)
    spread.push_back(distinct[i * (distinct.size() - 1) / (wanted - 1)]);
  return spread;
}

}  // namespace ladimo
