#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "policy/frontier.h"

namespace ladimo {
namespace {

void refuse_unless(bool holds, std::string message, std::string hint) {
  if (!holds) throw Refusal(std::move(message), std::move(hint));
}

/// Rounds up, so that a request for the printed share is not refused again.
std::string at_least(double share) { return fmt::format("{:.4f}", std::min(share + 0.00005, 1.0)); }

}  // namespace

void require_valid(const PolicyRequest& request) {
  const int budgets = request.tradeoff.has_value() + request.activated.has_value() +
                      request.ffn_activated.has_value() + request.max_kl.has_value() +
                      request.speedup.has_value();
  refuse_unless(budgets <= 1, "More than one budget is given.",
                "Give one of {tradeoff}, {activated}, {ffn_activated}, {max_kl} and {speedup}.");
  const auto share = [](const std::optional<double>& value) { return !value || (*value > 0 && *value <= 1); };
  refuse_unless(!request.tradeoff || (*request.tradeoff >= 0 && *request.tradeoff <= 1),
                "The trade-off is not between 0 and 1.", "0 is all dense, 1 the cheapest policy.");
  refuse_unless(share(request.activated), "The activated fraction is not above 0 and at most 1.",
                "For example {activated} 0.8.");
  refuse_unless(share(request.ffn_activated), "The FFNs' activated share is not above 0 and at most 1.",
                "For example {ffn_activated} 0.69.");
  refuse_unless(!request.max_kl || *request.max_kl >= 0, "The KL allowed is negative.",
                "For example {max_kl} 0.03 (nats per token).");
  refuse_unless(!request.speedup || *request.speedup > 0, "The speedup is not above 0.",
                "For example {speedup} 1.2.");
  refuse_unless(request.cost == Cost::activated || (!request.activated && !request.ffn_activated),
                "A budget of activated parameters needs the cost activated.",
                "Omit {cost}, or give {tradeoff}, {max_kl} or {speedup}.");
}

namespace {

Policy solve_activated(const TradeoffTable& table, const Frontier& frontier, const PolicyRequest& request) {
  const double other = table.other_activated;
  const double dense = frontier.dense_cost();
  const bool of_ffn = request.ffn_activated.has_value();
  const double offset = of_ffn ? other : 0;  // the part of the model that the share does not count
  const double budget = offset + (of_ffn ? *request.ffn_activated : *request.activated) * (dense - offset);
  if (frontier.cheapest_cost() > budget) {
    const double least = (frontier.cheapest_cost() - offset) / (dense - offset);
    throw Refusal(fmt::format("No policy is that cheap: the cheapest uses {} of the {}.",
                              format_number(least), of_ffn ? "FFNs' parameters" : "parameters"),
                  least > 1 ? "Remove pins."
                            : fmt::format("Use {} or more{}.", at_least(least),
                                          request.pins.empty() ? "" : ", or remove pins"));
  }
  return frontier.at_budget(budget);
}

Policy solve_speedup(const Frontier& frontier, double speedup) {
  const double budget = frontier.dense_cost() / speedup;
  const double fastest = frontier.dense_cost() / frontier.cheapest_cost();
  refuse_unless(frontier.cheapest_cost() <= budget,
                fmt::format("No policy decodes {} times as fast as the dense model: the fastest "
                            "policy reaches {} times, by measured times.",
                            format_number(speedup), format_number(fastest)),
                fmt::format("Use {:.2f} or less.", fastest - 0.005));
  return frontier.at_budget(budget);
}

Policy solve_max_kl(const Frontier& frontier, double kl) {
  Policy policy = frontier.at_max_kl(kl);
  refuse_unless(policy.predicted.kl <= kl,
                fmt::format("The pins alone have a predicted KL of {}.", format_number(policy.predicted.kl)),
                "Allow a higher KL, or remove pins.");
  return policy;
}

}  // namespace

Policy solve(const TradeoffTable& table, const LatencyTable* latency, const PolicyRequest& request) {
  require_valid(request);
  const bool experts =
      std::ranges::any_of(table.layers, [](const LayerTable& layer) { return layer.candidates.size() > 1; });
  refuse_unless(experts || request.grains.neurons || request.grains.inputs,
                "This run has no experts to choose from.",
                "Allow neurons and inputs, or convert layers in another run with {layers}.");
  const Cost cost = request.speedup ? Cost::decode_ms : request.cost;
  // A policy solved by activated parameters holds no times, so it has the same bytes on every machine.
  const Frontier frontier(table, cost == Cost::activated ? nullptr : latency, cost, request.pins,
                          request.kinds, {request.grains, !request.ffn_activated});
  const bool dense_will_do = request.speedup && *request.speedup <= 1;
  refuse_unless(cost == Cost::activated || frontier.beats_dense() || dense_will_do,
                "No policy decodes faster than the dense model in measured time.",
                "Use the cost activated; measured times are in latency.json.");
  if (request.speedup) return solve_speedup(frontier, *request.speedup);
  if (request.max_kl) return solve_max_kl(frontier, *request.max_kl);
  if (request.activated || request.ffn_activated) return solve_activated(table, frontier, request);
  return frontier.at_tradeoff(request.tradeoff.value_or(0.5));
}

}  // namespace ladimo
