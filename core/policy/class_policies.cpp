#include "policy/class_policies.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "base/error.h"
#include "policy/predictor.h"

namespace ladimo {
namespace {

using Kind = LayerPolicy::Kind;

/// Which layers can have experts, and how few of them may be dense.
struct Layers {
  std::size_t count = 0, least_dense = 0, most_dense = 0;
  std::vector<bool> routed;

  Layers(const TradeoffTable& table, const MoeLimits& limits) : count(table.layers.size()) {
    std::size_t last = 0, unconverted = 0;
    for (const LayerTable& layer : table.layers) {
      routed.push_back(layer.candidates.size() > 1);
      if (routed.back()) continue;
      last = routed.size();  // layers up to this one
      ++unconverted;
    }
    if (unconverted == count)
      throw Refusal("This run has no experts to choose from.",
                    "Convert layers in another run with {layers}.");
    least_dense = limits.dense == DenseLayers::leading ? last : unconverted;
    most_dense = limits.dense == DenseLayers::none ? 0 : count - 1;
    if (least_dense > most_dense)
      throw Refusal(fmt::format("Layer {} was not converted, and this format cannot leave it dense.",
                                limits.dense == DenseLayers::leading
                                    ? static_cast<std::ptrdiff_t>(last) - 1
                                    : std::ranges::find(routed, false) - routed.begin()),
                    "Convert all layers ({layers}), or choose another format with {format}.");
  }
};

/// The layers in the order in which they get experts.
std::vector<std::size_t> order_of(DenseLayers dense, const std::vector<double>& kl) {
  std::vector<std::size_t> order(kl.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (dense == DenseLayers::leading) std::ranges::reverse(order);
  if (dense == DenseLayers::any) std::ranges::stable_sort(order, {}, [&](std::size_t l) { return kl[l]; });
  return order;
}

}  // namespace

KRange ks_of(const ModelPolicy& policy) {
  std::vector<std::int64_t> all;
  for (const LayerPolicy& layer : policy)
    if (layer.kind != Kind::dense) all.push_back(layer.k);
  if (all.empty()) return {};
  const auto [least, most] = std::ranges::minmax(all);
  return {least, most};
}

std::string k_in_words(const ModelPolicy& policy) {
  const KRange ks = ks_of(policy);
  const auto dense = std::ranges::count(policy, Kind::dense, &LayerPolicy::kind);
  std::string k = fmt::format("k = {}", ks.least);
  if (ks.most > ks.least) k += fmt::format(" to {}", ks.most);
  return fmt::format("{}, {} {} dense", k, dense, dense == 1 ? "layer" : "layers");
}

ClassPolicies::ClassPolicies(const TradeoffTable& measured, const MoeLimits& limits, const MoeShape& shape) {
  const TradeoffTable table = judged_by_top_k(measured);
  const Predictor predictor(table, nullptr);
  const Layers layers(table, limits);
  const double dense_ffn = table.layers.front().candidates.front().activated;
  const double dense_model = table.other_activated + static_cast<double>(layers.count) * dense_ffn;
  const auto most_k = std::min<std::int64_t>(shape.routed, limits.most_k.value_or(shape.routed));
  if (most_k < 1)
    throw Refusal("The shared experts leave no room for routed ones in this format.",
                  "Convert with fewer and larger experts ({experts}).");
  for (std::int64_t k = 1; k <= most_k; ++k) {
    const auto top = LayerPolicy::top(static_cast<int>(k));
    std::vector<double> kl(layers.count, std::numeric_limits<double>::infinity());
    for (std::size_t l = 0; l < layers.count; ++l)
      if (layers.routed[l]) kl[l] = predictor.evaluate(static_cast<int>(l), top).kl;
    const auto order = order_of(limits.dense, kl);
    for (std::size_t dense = layers.least_dense; dense <= layers.most_dense; ++dense) {
      Policy policy{table.fingerprint, Cost::activated, 0, ModelPolicy(layers.count), {}, {}};
      for (std::size_t i = 0; i + dense < layers.count; ++i) policy.layers[order[i]] = top;
      PolicyNumbers& numbers = policy.predicted = predictor.numbers(policy.layers);
      const double used =
          static_cast<double>(dense) * dense_ffn +
          static_cast<double>(layers.count - dense) * shape.activated_parameters(static_cast<double>(k));
      numbers.activated_parameters = table.other_activated + used;
      numbers.activated_fraction = numbers.activated_parameters / dense_model;
      numbers.ffn_activated = used / (static_cast<double>(layers.count) * dense_ffn);
      policies_.push_back(std::move(policy));
    }
  }
  const auto cost = [](const Policy& policy) { return policy.predicted.activated_fraction; };
  std::ranges::stable_sort(policies_, {}, cost);
  double least = std::numeric_limits<double>::infinity();
  std::erase_if(policies_, [&](const Policy& policy) {
    if (policy.predicted.kl >= least) return true;
    least = policy.predicted.kl;
    return false;
  });
  const double cheapest = cost(policies_.front());
  for (Policy& policy : policies_)
    policy.tradeoff = cheapest < 1 ? std::clamp((1 - cost(policy)) / (1 - cheapest), 0.0, 1.0) : 0;
}

const Policy& ClassPolicies::at_activated(double activated) const {
  const auto dearer = std::ranges::upper_bound(
      policies_, activated, {}, [](const Policy& policy) { return policy.predicted.activated_fraction; });
  return dearer == policies_.begin() ? policies_.front() : *(dearer - 1);
}

const Policy& ClassPolicies::at_tradeoff(double tradeoff) const {
  const double cheapest = policies_.front().predicted.activated_fraction;
  return at_activated(1 - tradeoff * (1 - cheapest));
}

std::optional<Policy> ClassPolicies::at_max_kl(double kl) const {
  const auto found =
      std::ranges::find_if(policies_, [&](const Policy& policy) { return policy.predicted.kl <= kl; });
  return found == policies_.end() ? std::nullopt : std::optional(*found);
}

Policy solve(const ClassPolicies& policies, const PolicyRequest& request) {
  require_valid(request);
  if (request.speedup || !request.pins.empty() || request.cost != Cost::activated)
    throw Refusal("A policy for a format is chosen by activated parameters or KL, without pins.",
                  "Give one of {tradeoff}, {activated}, {ffn_activated} and {max_kl}.");
  if (!(request.grains == Grains{}) && !(request.grains == Grains{true, false, false}))
    throw Refusal("Formats of other programs know experts alone, not single neurons and inputs.",
                  "Choose a policy for no format ({for} none).");
  if (request.kinds == Kinds::threshold)
    throw Refusal("Formats of other programs know top-k alone, not thresholds.",
                  "Choose a policy for no format ({for} none).");
  if (request.max_kl) {
    if (auto found = policies.at_max_kl(*request.max_kl)) return *found;
    throw Refusal(fmt::format("No policy of this format has a predicted KL of {} or less.", *request.max_kl),
                  fmt::format("The lowest is {:.4g}.", policies.all().back().predicted.kl));
  }
  if (!request.activated && !request.ffn_activated)
    return policies.at_tradeoff(request.tradeoff.value_or(0.5));
  const PolicyNumbers& some = policies.all().front().predicted;
  // What is not in the FFNs is used in full.
  const double ffn_share = (1 - some.activated_fraction) / (1 - some.ffn_activated);
  const double budget = request.activated ? *request.activated : 1 - (1 - *request.ffn_activated) * ffn_share;
  const Policy& found = policies.at_activated(budget);
  if (found.predicted.activated_fraction > budget)
    throw Refusal(
        fmt::format("No policy of this format is that cheap: the cheapest uses {:.4f} of all parameters.",
                    found.predicted.activated_fraction),
        "Allow more, or convert with fewer shared experts ({shared}).");
  return found;
}

}  // namespace ladimo
