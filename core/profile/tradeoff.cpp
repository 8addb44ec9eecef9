#include "profile/tradeoff.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "evaluate/evaluation.h"
#include "policy/frontier.h"
#include "policy/predictor.h"

namespace ladimo {
namespace {

/// One policy per threshold of the ladder, whose thresholds come before its top-k. Every layer that has
/// candidates is on the same rung.
std::vector<ModelPolicy> thresholds_of(const CandidateTable& candidates) {
  std::vector<ModelPolicy> ladder;
  for (std::size_t l = 0; l < candidates.size(); ++l)
    for (std::size_t r = 0; r < candidates[l].size(); ++r) {
      if (candidates[l][r].kind != LayerPolicy::Kind::threshold) break;
      if (r == ladder.size()) ladder.emplace_back(candidates.size(), LayerPolicy::dense());
      ladder[r][l] = candidates[l][r];
    }
  return ladder;
}

ProductSizes sizes_of(const ModelConfig& config, const MoeLayers& moe, const CandidateTable& candidates) {
  ProductSizes sizes;
  sizes.hidden_size = static_cast<double>(config.hidden_size);
  sizes.qkv = static_cast<double>(config.qkv_parameters());
  sizes.o = static_cast<double>(config.o_parameters());
  sizes.neurons = static_cast<double>(config.intermediate_size);
  for (std::size_t l = 0; l < candidates.size(); ++l) {
    if (candidates[l].empty()) continue;
    const MoeShape shape = moe.shape(static_cast<int>(l));  // that of all converted layers
    sizes.shared_neurons = static_cast<double>(shape.shared_neurons);
    sizes.expert_neurons = static_cast<double>(shape.expert_neurons);
    break;
  }
  return sizes;
}

/// A table with numbers that are not finite could not be read again.
void require_finite(const Sensitivity& sensitivity) {
  for (std::size_t l = 0; l < sensitivity.size(); ++l)
    if (!std::ranges::all_of(sensitivity[l], [](double kl) { return std::isfinite(kl); }))
      throw Error(fmt::format("The predictions are not finite when layer {} runs with experts.", l),
                  "Check the checkpoint ({inspect_model}), or leave this layer dense with {layers}.");
}

/// The policies between two neighbours of the ladder.
std::vector<LayerPolicy> between(const LayerPolicy& a, const LayerPolicy& b) {
  std::vector<LayerPolicy> policies;
  if (a.kind != b.kind) return policies;
  if (a.kind == LayerPolicy::Kind::threshold && b.threshold > a.threshold)
    for (const double share : {0.25, 0.5, 0.75})
      policies.push_back(LayerPolicy::above(a.threshold + share * (b.threshold - a.threshold)));
  if (a.kind == LayerPolicy::Kind::top_k)
    for (int k = a.k - 1; k > b.k; --k) policies.push_back(LayerPolicy::top(k));
  return policies;
}

/// The distinct policies of the frontier at these trade-offs.
std::vector<ModelPolicy> points_of(const TradeoffTable& table, Kinds kinds, const Grains& grains,
                                   const std::vector<double>& tradeoffs) {
  const Frontier frontier(table, nullptr, Cost::activated, {}, kinds, {grains});
  std::vector<ModelPolicy> policies;
  for (const double tradeoff : tradeoffs) {
    auto layers = frontier.at_tradeoff(tradeoff).layers;
    if (policies.empty() || policies.back() != layers) policies.push_back(std::move(layers));
  }
  return policies;
}

/// Measures policies of all layers together.
struct JointMeasurement {
  const WeightSource& source;
  const MoeLayers& moe;
  const Windows& windows;
  const TradeoffSettings& settings;

  struct Points {
    std::vector<ModelPolicy> policies;
    std::vector<JointPoint>* kept_in;  // a list of `table`
  };

  /// Adds a point to its list for every policy, and notes the dense model's nll.
  void add_points(TradeoffTable& table, const std::vector<Points>& lists, const Context& context) const {
    std::vector<ModelPolicy> policies;
    for (const Points& list : lists)
      policies.insert(policies.end(), list.policies.begin(), list.policies.end());
    const auto scores = score(source, moe, windows, policies, context);
    table.dense_nll = summarise(scores, 0).dense_nll;
    table.tokens = summarise(scores, 0).tokens;
    const TradeoffTable single = table;
    const Predictor predictor(single, nullptr);
    std::size_t p = 0;
    for (const Points& list : lists) {
      for (const ModelPolicy& policy : list.policies)
        list.kept_in->push_back(point_of(policy, scores, p++, predictor, list.kept_in == &table.joint_cuts));
      std::ranges::sort(*list.kept_in, {}, &JointPoint::sum_kl);
    }
  }

 private:
  JointPoint point_of(const ModelPolicy& policy, const Scores& scores, std::size_t p,
                      const Predictor& predictor, bool cuts) const {
    JointPoint point;
    const PolicyScores& counted = scores.policies[p];
    for (std::size_t l = 0; l < policy.size(); ++l) {
      const auto candidate = predictor.evaluate(static_cast<int>(l), policy[l]);
      const double by_table = candidate.activated - candidate.attention_left_out;
      point.sum_kl += predictor.priced_kl(static_cast<int>(l), policy[l], cuts);
      point.sum_activated += by_table;
      point.activated +=
          settings.recalibrated ? counted.ffn_parameters[l] - counted.attention_left_out[l] : by_table;
    }
    const auto evaluation = summarise(scores, p);
    point.kl = evaluation.kl;
    point.kl_se = evaluation.kl_se;
    point.nll_increase = evaluation.nll - evaluation.dense_nll;
    return point;
  }
};

}  // namespace

TradeoffTable measure_tradeoff(const WeightSource& source, const MoeLayers& moe,
                               const CandidateTable& candidates, const std::vector<CutThresholds>& cuts,
                               const Windows& windows, const TradeoffSettings& settings,
                               const Context& context) {
  const ModelConfig& config = source.config();
  const bool measure = settings.measured;
  const auto count = windows.count();
  const auto files = std::ssize(std::set<std::int32_t>(windows.source.begin(), windows.source.end()));
  const double counted = 0.2, estimating_ends = measure ? 0.3 : 1;  // shares of the step's time
  Scores activity;
  if (settings.recalibrated)
    activity = count_activity(source, moe, some_windows(windows, activity_windows(count, files)),
                              thresholds_of(candidates), context.part(0, counted));

  // A measurement needs one pass per candidate. The estimate then only shows how well the two agree.
  const auto some = measure ? some_windows(windows, sensitivity_windows(count, files)) : windows;
  const auto estimates = estimate_sensitivity(source, moe, candidates, cuts, some, settings.seed,
                                              context.part(counted, estimating_ends));
  const Sensitivity& estimated = estimates.candidates;
  TradeoffTable table;
  table.fingerprint = source.checkpoint().fingerprint();
  table.sensitivity = measure ? "measured" : "estimated";
  table.other_activated = static_cast<double>(config.activated_outside_ffns());
  const auto sensitivity =
      measure ? measure_sensitivity(source, moe, candidates, some, context.part(estimating_ends, 1))
              : estimated;
  for (const auto* numbers : {&estimated, &sensitivity}) require_finite(*numbers);
  if (!cuts.empty()) table.sizes = sizes_of(config, moe, candidates);
  if (measure) table.rank_correlation = rank_correlation(sensitivity, estimated);

  for (std::size_t l = 0; l < candidates.size(); ++l) {
    LayerTable layer;
    layer.layer = static_cast<int>(l);
    if (l < estimates.cuts.size()) layer.cuts = estimates.cuts[l];
    layer.candidates.push_back(
        {LayerPolicy::dense(), 0, static_cast<double>(config.ffn_parameters_per_layer())});
    for (std::size_t c = 0; c < candidates[l].size(); ++c) {
      auto policy = candidates[l][c];
      if (policy.kind == LayerPolicy::Kind::threshold && settings.recalibrated)
        policy.mean_experts = activity.policies[c].mean_experts[l];
      layer.candidates.push_back(
          {policy, sensitivity[l][c], moe.shape(layer.layer).activated_parameters(policy.mean_experts)});
    }
    if (!candidates[l].empty()) table.routed = static_cast<int>(moe.shape(layer.layer).routed);
    table.layers.push_back(std::move(layer));
  }
  fill_ladder(table);
  return table;
}

void fill_ladder(TradeoffTable& table) {
  const TradeoffTable measured = table;
  const Predictor predictor(measured, nullptr);
  for (LayerTable& layer : table.layers) {
    std::vector<Candidate> filled;
    for (const Candidate& candidate : layer.candidates) {
      if (!filled.empty())
        for (const LayerPolicy& policy : between(filled.back().policy, candidate.policy))
          filled.push_back(predictor.evaluate(layer.layer, policy));
      filled.push_back(candidate);
    }
    layer.candidates = std::move(filled);
  }
}

void measure_joint(TradeoffTable& table, const WeightSource& source, const MoeLayers& moe,
                   const Windows& windows, const TradeoffSettings& settings, const Context& context) {
  const JointMeasurement measure{source, moe, windows, settings};
  const Grains experts{true, false, false};
  const double first_round = table.sizes ? 0.6 : 1;  // share of the step's time
  measure.add_points(
      table,
      {{points_of(table, Kinds::mixed, experts, {0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0}), &table.joint},
       {points_of(table, Kinds::top_k, experts, {0.35, 0.7, 1.0}), &table.joint_top_k}},
      context.part(0, first_round));
  if (!table.sizes) return;
  if (!table.joint.empty() && table.joint.front().sum_kl > 0)
    table.expert_price = std::max(1.0, table.joint.front().kl / table.joint.front().sum_kl);
  measure.add_points(
      table,
      {{points_of(table, Kinds::mixed, {}, {0.08, 0.16, 0.25, 0.35, 0.47, 0.65, 1.0}), &table.joint_cuts}},
      context.part(first_round, 1));
}

}  // namespace ladimo
