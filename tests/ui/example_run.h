// A run as `ladimo show RUN --json` tells it, made with the core's own writers.
#pragma once

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "policy/policy_file.h"
#include "policy/routing_profile.h"
#include "policy/tradeoff_table.h"
#include "run/recipe.h"

namespace ladimo::testing {

inline constexpr int example_layers = 6;
inline constexpr int example_routed = 48;
inline constexpr double example_ffn = 294912;  // parameters of one dense FFN

inline Recipe example_recipe() {
  Recipe recipe;
  recipe.model = "models/tiny-stories";
  recipe.model_fingerprint = "0123456789abcdef0123456789abcdef";
  recipe.text = {"text/stories-train.txt", "text/books-train.txt"};
  recipe.text_fingerprints = {"a", "b"};
  recipe.tokens = 99840;
  recipe.window = 512;
  recipe.experts = 64;
  recipe.shared = 16;
  recipe.layers = {0, 1, 2, 3, 4, 5};
  return recipe;
}

/// Layer 0 dense, 2 the 12 strongest, the others at a threshold on the ladder.
inline Policy example_policy() {
  Policy policy;
  policy.fingerprint = example_recipe().model_fingerprint;
  policy.tradeoff = 0.4;
  for (int layer = 0; layer < example_layers; ++layer)
    policy.layers.push_back(LayerPolicy::above(0.02 + 0.005 * layer, 32.5 - 2.25 * layer));
  policy.layers[0] = LayerPolicy::dense();
  policy.layers[2] = LayerPolicy::top(12);
  policy.predicted = {0.0198, 21.4, {}, {}, 2.6e6, 0.8, 0.653};
  return policy;
}

inline TradeoffTable example_tradeoff() {
  const Policy policy = example_policy();
  TradeoffTable table;
  table.fingerprint = policy.fingerprint;
  table.sensitivity = "measured";
  table.dense_nll = 3.05;
  table.tokens = 12288;
  table.routed = example_routed;
  for (int layer = 0; layer < example_layers; ++layer) {
    LayerTable ladder{layer, {{LayerPolicy::dense(), 0, example_ffn}}};
    const LayerPolicy& chosen = policy.layers[static_cast<std::size_t>(layer)];
    if (chosen != LayerPolicy::dense())
      ladder.candidates.push_back({chosen, 0.0123 / (layer * layer), example_ffn * (0.8 - 0.05 * layer)});
    table.layers.push_back(ladder);
  }
  return table;
}

inline RoutingProfile example_profile() {
  RoutingProfile profile;
  profile.tokens = 12288;
  for (int layer = 0; layer < example_layers; ++layer) {
    LayerProfile one;
    one.layer = layer;
    one.routed = example_routed;
    one.all.assign(histogram_bins + 2, 0);
    for (int bin = 1; bin <= histogram_bins; ++bin) {
      const double x = std::log10(histogram_edge(bin)) + 1.7 - 0.1 * layer;
      one.all[static_cast<std::size_t>(bin)] = std::llround(5000 * std::exp(-x * x * 4));
    }
    one.top1 = one.all;
    one.expert_load.assign(example_routed, 0.5);
    one.mean_weight.assign(example_routed, 0.03);
    one.coactivation.assign(example_routed * example_routed, 0.25);
    profile.layers.push_back(one);
  }
  return profile;
}

inline nlohmann::json example_show() {
  auto layers = nlohmann::json::array();
  for (int layer = 0; layer < example_layers; ++layer)
    layers.push_back({{"layer", layer},
                      {"done", true},
                      {"loss_before", 0.081 + 0.013 * layer},
                      {"loss_after", 0.0213 + 0.0041 * layer},
                      {"seconds", 4.5}});
  return {{"recipe", to_json(example_recipe())},
          {"layers", layers},
          {"profile", to_json(example_profile())},
          {"tradeoff", to_json(example_tradeoff())},
          {"latency", nullptr},
          {"policy", to_json(example_policy())}};
}

}  // namespace ladimo::testing
