#include "policy/frontier.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "base/error.h"
#include "policy/knapsack.h"
#include "policy/predictor.h"

namespace ladimo {
namespace {

constexpr double grid = 2048;  // units of the FFNs' dense cost
// The same where single inputs may be left out, whose options are smaller and more.
constexpr double fine_grid = 8192;

/// What is decided at a time. The savings and the KL of a layer's parts add up in parameters. They do not in
/// milliseconds: choosing inputs takes time, but once for the whole layer.
enum class Part { layer, ffn, qkv, o };

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

/// The options of a part of a layer. Of those whose savings fall on the same point of the knapsack's grid
/// only the one of least KL is kept, and only where no option that saves more is as good. The first one that
/// is added stays. Others that save less than nothing, as choosing takes time, are no options.
class BestOptions {
 public:
  BestOptions(double unit, bool many) : unit_(unit), many_(many) {}

  void add(const KnapsackOption& option, const LayerPolicy& policy) {
    if (!kept_.empty() && option.saving < 0) return;
    if (!many_ || kept_.empty()) {
      kept_.push_back({option, policy});
      return;
    }
    const auto step = static_cast<std::size_t>(option.saving / unit_);
    if (step >= at_.size()) at_.resize(step + 1, nothing);
    std::size_t& place = at_[step];
    if (place == nothing) {
      place = kept_.size();
      kept_.push_back({option, policy});
    } else if (option.kl < kept_[place].option.kl) {
      kept_[place] = {option, policy};
    }
  }

  std::vector<KnapsackOption> options(std::vector<LayerPolicy>& policies) && {
    if (many_) {
      std::sort(kept_.begin() + 1, kept_.end(),
                [](const Kept& a, const Kept& b) { return a.option.saving > b.option.saving; });
      double least = std::numeric_limits<double>::infinity();
      const auto worse = [&](const Kept& kept) {
        if (kept.option.kl >= least) return true;
        least = kept.option.kl;
        return false;
      };
      kept_.erase(std::remove_if(kept_.begin() + 1, kept_.end(), worse), kept_.end());
    }
    std::vector<KnapsackOption> options;
    for (const Kept& kept : kept_) {
      options.push_back(kept.option);
      policies.push_back(kept.policy);
    }
    return options;
  }

 private:
  static constexpr std::size_t nothing = -1;
  struct Kept {
    KnapsackOption option;
    LayerPolicy policy;
  };
  double unit_;
  bool many_;
  std::vector<Kept> kept_;
  std::vector<std::size_t> at_;  // by step of the grid: an index into kept_
};

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
  Choices choices;
  bool cuts;                       // whether single inputs may be left out, or are by a pin
  std::vector<LayerPolicy> fixed;  // [layers] a pinned layer's policy, else dense
  std::vector<int> pinned_layers;  // rising
  /// What is decided: parts of layers that are not pinned, with the policies to choose from. Only that part
  /// of a policy counts.
  struct Free {
    std::size_t layer;
    Part part;
    std::vector<LayerPolicy> options;
  };
  std::vector<Free> free;
  double dense = 0;  // table cost with all layers dense
  double base = 0;   // table cost with pinned layers as pinned and the others dense
  double pinned_kl = 0;
  double unit = 1;
  std::optional<Knapsack> knapsack;

  Solved(const TradeoffTable& tradeoff, const LatencyTable* times, Cost what, const std::vector<Pin>& pins,
         Kinds which, const Choices& among_what)
      : table(which == Kinds::top_k ? judged_by_top_k(tradeoff) : tradeoff),
        latency(times == nullptr ? std::nullopt : std::optional(*times)),
        cost(what),
        kinds(which),
        predictor(table, latency ? &*latency : nullptr),
        choices(among_what),
        cuts(table.sizes && (choices.grains.neurons || choices.grains.inputs)),
        fixed(table.layers.size()) {
    const auto pinned = pins_by_layer(pins);
    for (const auto& [layer, policy] : pinned) cuts = cuts || policy.cuts_inputs();
    for (const auto& [layer, policy] : pinned) pin(layer, policy);
    for (const LayerTable& layer : table.layers) dense += cost_of(layer.candidates.front());
    if (dense > 0) unit = dense / (cuts ? fine_grid : grid);
    std::vector<std::vector<KnapsackOption>> options;
    for (std::size_t l = 0; l < table.layers.size(); ++l) {
      if (pinned.contains(static_cast<int>(l))) continue;
      base += cost_of(table.layers[l].candidates.front());
      if (cuts && cost == Cost::decode_ms) {
        free.push_back({l, Part::layer, {}});
        options.push_back(layer_options(table.layers[l], free.back().options));
        continue;
      }
      free.push_back({l, Part::ffn, {}});
      options.push_back(ffn_options(table.layers[l], free.back().options));
      if (!cuts || !cuts_attention()) continue;
      for (const Part part : {Part::qkv, Part::o}) {
        free.push_back({l, part, {}});
        options.push_back(attention_options(table.layers[l], part, free.back().options));
      }
    }
    knapsack.emplace(options, unit);
  }
  Solved(const Solved&) = delete;
  Solved& operator=(const Solved&) = delete;

  double cost_of(const Candidate& candidate) const {
    return cost == Cost::activated ? candidate.activated - candidate.attention_left_out
                                   : predictor.decode_ms(candidate.policy);
  }

  void pin(int layer, const LayerPolicy& policy) {
    const Candidate candidate = predictor.evaluate(layer, policy);
    fixed[static_cast<std::size_t>(layer)] = candidate.policy;
    pinned_layers.push_back(layer);
    base += cost_of(candidate);
    pinned_kl += predictor.priced_kl(layer, candidate.policy, cuts);
  }

  bool cuts_attention() const { return choices.grains.inputs && choices.attention; }

  /// The options of a layer's experts: dense first, then every candidate that costs no more than dense.
  BestOptions expert_options(const LayerTable& layer) const {
    const double dense_layer = cost_of(layer.candidates.front());
    const double price = cuts ? table.expert_price : 1;
    BestOptions best(unit, cuts);
    for (const Candidate& candidate : layer.candidates) {
      const auto kind = candidate.policy.kind;
      if (!among(kinds, kind) || (!choices.grains.experts && kind != LayerPolicy::Kind::dense)) continue;
      best.add({candidate.kl * price, dense_layer - cost_of(candidate)}, candidate.policy);
    }
    return best;
  }

  /// The options of a layer's FFN: those of its experts, and where single inputs may be left out each of them
  /// with every threshold of the inputs and of the neurons.
  std::vector<KnapsackOption> ffn_options(const LayerTable& layer, std::vector<LayerPolicy>& policies) const {
    BestOptions best = expert_options(layer);
    if (cuts) add_cuts(layer, best);
    return std::move(best).options(policies);
  }

  /// The options of a whole layer in milliseconds: those of its experts, and the best of its FFN together
  /// with every pair of thresholds of the attention, less the time that choosing takes.
  std::vector<KnapsackOption> layer_options(const LayerTable& layer,
                                            std::vector<LayerPolicy>& policies) const {
    const double choosing = latency->cuts ? latency->cuts->layer_ms : 0;
    std::vector<LayerPolicy> of_ffn, of_attention;
    const auto ffn = ffn_options(layer, of_ffn), attention = attention_pairs(layer, of_attention);
    BestOptions best = expert_options(layer);
    for (std::size_t i = 0; i < ffn.size(); ++i)
      for (std::size_t j = 0; j < attention.size(); ++j) {
        LayerPolicy policy = of_ffn[i];
        for (const Product product : {Product::qkv, Product::o})
          policy.cut(product) = of_attention[j].cut(product);
        if (policy.cuts_inputs())
          best.add({ffn[i].kl + attention[j].kl, ffn[i].saving + attention[j].saving - choosing}, policy);
      }
    return std::move(best).options(policies);
  }

  /// Every pair of thresholds of the attention's two products; nothing cut alone where they may not be cut.
  std::vector<KnapsackOption> attention_pairs(const LayerTable& layer,
                                              std::vector<LayerPolicy>& policies) const {
    const std::vector<CutRung> all(1);
    const auto& of_qkv = cuts_attention() ? layer.rungs(Product::qkv) : all;
    const auto& of_o = cuts_attention() ? layer.rungs(Product::o) : all;
    BestOptions best(unit, true);
    for (const CutRung& qkv : of_qkv)
      for (const CutRung& o : of_o) {
        LayerPolicy policy;
        policy.cut(Product::qkv) = {qkv.threshold, qkv.share};
        policy.cut(Product::o) = {o.threshold, o.share};
        best.add({qkv.kl + o.kl, saved_by_cuts(policy)}, policy);
      }
    return std::move(best).options(policies);
  }

  /// Adds the best of `best` with inputs and neurons left out.
  void add_cuts(const LayerTable& layer, BestOptions& best) const {
    const std::vector<CutRung> all(1);
    const auto& of_inputs = choices.grains.inputs ? layer.rungs(Product::gate_up) : all;
    const auto& of_neurons = choices.grains.neurons ? layer.rungs(Product::down) : all;
    std::vector<LayerPolicy> with_experts;
    const auto options = BestOptions(best).options(with_experts);
    for (std::size_t i = 0; i < options.size(); ++i) {
      LayerPolicy policy = with_experts[i];
      const double running = table.sizes->running(policy) / table.sizes->neurons;
      for (const CutRung& inputs : of_inputs)
        for (const CutRung& neurons : of_neurons) {
          if (inputs.threshold <= 0 && neurons.threshold <= 0) continue;
          policy.cut(Product::gate_up) = {inputs.threshold, inputs.share};
          policy.cut(Product::down) = {neurons.threshold, neurons.share * running};
          best.add(
              {options[i].kl + (inputs.kl + neurons.kl) * running, options[i].saving + saved_by_cuts(policy)},
              policy);
        }
    }
  }

  /// What is saved in a layer by the inputs that a policy leaves out, before the time that choosing takes.
  double saved_by_cuts(const LayerPolicy& policy) const {
    const double left_out = table.sizes->left_out_of_ffn(policy) + table.sizes->left_out_of_attention(policy);
    if (cost == Cost::activated) return left_out;
    return latency->cuts ? latency->cuts->ms_per_parameter * left_out : 0;
  }

  std::vector<KnapsackOption> attention_options(const LayerTable& layer, Part part,
                                                std::vector<LayerPolicy>& policies) const {
    const Product product = part == Part::qkv ? Product::qkv : Product::o;
    BestOptions best(unit, cuts);
    for (const CutRung& rung : layer.rungs(product)) {
      LayerPolicy policy;
      policy.cut(product) = {rung.threshold, rung.share};
      best.add({rung.kl, saved_by_cuts(policy)}, policy);
    }
    return std::move(best).options(policies);
  }

  const Predictor::Corrections& joint() const { return predictor.corrections(cuts); }

  double model_cost(double table_cost) const {
    return cost == Cost::activated ? table.other_activated + joint().activity(table_cost)
                                   : latency->other_decode_ms + table_cost;
  }
  double table_cost(double model_cost) const {
    return cost == Cost::activated ? joint().activity.inverse(model_cost - table.other_activated)
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
    policy.pinned = pinned_layers;
    for (std::size_t i = 0; i < free.size(); ++i) {
      const LayerPolicy& chosen = free[i].options[static_cast<std::size_t>(solution.choice[i])];
      LayerPolicy& layer = policy.layers[free[i].layer];
      switch (free[i].part) {  // the FFN of a layer comes first
        case Part::layer:
        case Part::ffn:
          layer = chosen;
          break;
        case Part::qkv:
          layer.cut(Product::qkv) = chosen.cut(Product::qkv);
          break;
        case Part::o:
          layer.cut(Product::o) = chosen.cut(Product::o);
          break;
      }
    }
    policy.predicted = predictor.numbers(policy.layers, cuts);
    return policy;
  }

  Knapsack::Solution solve(double model_budget) const {
    return knapsack->at(base - table_cost(model_budget));
  }

  Point point_of(const Knapsack::Solution& solution) const {
    const double total = model_cost(solution);
    return {total, joint().kl(pinned_kl + solution.kl), tradeoff_of(total)};
  }
};

Frontier::Frontier(const TradeoffTable& table, const LatencyTable* latency, Cost cost,
                   const std::vector<Pin>& pins, Kinds kinds, const Choices& choices)
    : solved_(std::make_shared<const Solved>(table, needed_for(cost, latency), cost, pins, kinds, choices)) {}

Policy Frontier::at_budget(double budget) const {
  return solved_->policy_of(solved_->solve(budget), solved_->tradeoff_of(budget));
}

Policy Frontier::at_tradeoff(double tradeoff) const {
  const double budget = (1 - tradeoff) * dense_cost() + tradeoff * cheapest_cost();
  return solved_->policy_of(solved_->solve(budget), tradeoff);
}

Policy Frontier::at_max_kl(double kl) const {
  const double limit = solved_->joint().kl.inverse(kl) - solved_->pinned_kl;
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
