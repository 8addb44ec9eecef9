#include "profile/tradeoff.h"

#include <algorithm>
#include <limits>

#include "evaluate/evaluation.h"
#include "policy/frontier.h"

namespace ladimo {
namespace {

/// Rung r of the ladder in every layer that has candidates.
ModelPolicy rung(const CandidateTable& candidates, std::size_t r) {
  ModelPolicy policy;
  for (const auto& row : candidates) policy.push_back(r < row.size() ? row[r] : LayerPolicy::dense());
  return policy;
}

const Candidate& chosen(const LayerTable& table, const LayerPolicy& policy) {
  const auto same = [&](const Candidate& c) {
    return c.policy.kind == policy.kind && c.policy.k == policy.k && c.policy.threshold == policy.threshold;
  };
  return *std::find_if(table.candidates.begin(), table.candidates.end(), same);
}

}  // namespace

TradeoffTable measure_tradeoff(const WeightSource& source, const MoeProvider& moe,
                               const CandidateTable& candidates, const Windows& windows, bool measure,
                               std::uint64_t seed, const Context& context) {
  const ModelConfig& config = source.config();
  std::size_t rungs = 0;
  for (const auto& row : candidates) rungs = std::max(rungs, row.size());
  std::vector<ModelPolicy> ladder;
  for (std::size_t r = 0; r < rungs; ++r) ladder.push_back(rung(candidates, r));
  const auto scores = score(source, moe, windows, ladder, context);

  const auto estimated = estimate_sensitivity(source, moe, candidates, windows, seed, context);
  TradeoffTable table;
  table.fingerprint = source.checkpoint().fingerprint();
  table.sensitivity = measure ? "measured" : "estimated";
  table.other_activated =
      static_cast<double>(config.activated_parameters() - config.layers * config.ffn_parameters_per_layer());
  table.dense_nll = summarise(scores, 0).dense_nll;
  table.tokens = summarise(scores, 0).tokens;
  const auto sensitivity =
      measure ? measure_sensitivity(source, moe, candidates, every_window(windows, 2), context) : estimated;
  if (measure) table.rank_correlation = rank_correlation(sensitivity, estimated);

  for (std::size_t l = 0; l < candidates.size(); ++l) {
    LayerTable layer;
    layer.layer = static_cast<int>(l);
    layer.candidates.push_back(
        {LayerPolicy::dense(), 0, static_cast<double>(config.ffn_parameters_per_layer())});
    for (std::size_t c = 0; c < candidates[l].size(); ++c) {
      auto policy = candidates[l][c];
      if (policy.kind == LayerPolicy::Kind::threshold)
        policy.mean_experts = scores.policies[c].mean_experts[l];
      layer.candidates.push_back({policy, sensitivity[l][c], scores.policies[c].ffn_parameters[l]});
    }
    if (!candidates[l].empty()) table.routed = static_cast<int>(moe(layer.layer)->routed());
    table.layers.push_back(std::move(layer));
  }
  return table;
}

std::vector<JointPoint> measure_joint(const WeightSource& source, const MoeProvider& moe,
                                      const TradeoffTable& table, const Windows& windows,
                                      const Context& context) {
  const Frontier frontier(table, nullptr, Cost::activated);
  std::vector<ModelPolicy> policies;
  for (const double tradeoff : {0.15, 0.3, 0.45, 0.6, 0.8, 1.0}) {
    auto layers = frontier.at_tradeoff(tradeoff).layers;
    if (policies.empty() || policies.back() != layers) policies.push_back(std::move(layers));
  }
  const auto scores = score(source, moe, windows, policies, context);
  std::vector<JointPoint> points;
  for (std::size_t p = 0; p < policies.size(); ++p) {
    JointPoint point;
    for (std::size_t l = 0; l < policies[p].size(); ++l) {
      const auto& candidate = chosen(table.layers[l], policies[p][l]);
      point.sum_kl += candidate.kl;
      point.sum_activated += candidate.activated;
      point.activated += scores.policies[p].ffn_parameters[l];
    }
    const auto evaluation = summarise(scores, p);
    point.kl = evaluation.kl;
    point.nll_increase = evaluation.nll - evaluation.dense_nll;
    points.push_back(point);
  }
  std::sort(points.begin(), points.end(), [](const auto& a, const auto& b) { return a.sum_kl < b.sum_kl; });
  return points;
}

}  // namespace ladimo
