// The routing profile (profile.json): how the routing weights of every layer are distributed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/histogram.h"
#include "policy/layer_policy.h"

namespace ladimo {

/// A problem with a layer's router that the user should know about, and what to change.
struct RouterWarning {
  std::string message, hint;
};

struct LayerProfile {
  int layer = 0;
  int routed = 0;  // routed experts E
  int shared_neurons = 0;
  int expert_neurons = 0;            // neurons per routed expert
  double output_norm = 0;            // mean L2 norm of the dense FFN's output: the unit of the routing weight
  HistogramCounts all;               // routing weights of all experts
  HistogramCounts top1;              // the largest of each token
  double middle_threshold = 0;       // where half of the routed experts are on
  std::vector<double> expert_load;   // [E] share of tokens for which the expert is on at middle_threshold
  std::vector<double> mean_weight;   // [E]
  std::vector<double> coactivation;  // [E, E] P(column on | row on) at middle_threshold
  double entropy = 0;                // of the expert load, divided by log E: 1 is uniform
  std::vector<int> dead;             // experts on for less than 0.1 % of the tokens
  std::vector<int> always_on;        // experts on for more than 99.9 % of the tokens
  /// The least Pearson correlation of the expert loads of two source files of the text. It is 1 where there
  /// is only one file or a load does not vary.
  double stability = 1;
  std::vector<std::vector<double>> domain_load;  // [files, E] expert load by source file; empty for one file
  /// How often the experts run under other policies: thresholds by falling activity, then top_k by falling k.
  /// Empty in runs of earlier versions.
  struct Load {
    LayerPolicy policy;
    std::vector<double> experts;               // [E] share of tokens
    std::vector<std::vector<double>> by_file;  // [files, E]; empty for one file
  };
  std::vector<Load> loads;
  std::vector<RouterWarning> warnings;
};

/// How large the inputs of one layer's products are: |x|, and for neurons |h| times the norm of their row of
/// down.
struct InputProfile {
  int layer = 0;
  std::array<HistogramCounts, all_products.size()> sizes;  // empty where they are not known

  const HistogramCounts& of(Product product) const { return sizes[static_cast<std::size_t>(product)]; }
};

struct RoutingProfile {
  std::int64_t tokens = 0;
  std::vector<LayerProfile> layers;       // converted layers only
  std::vector<InputProfile> inputs = {};  // all layers; empty in runs of earlier versions
};

/// The load of every expert under a policy that is not dense, interpolated between those that were counted.
/// Nothing where none was.
std::optional<LayerProfile::Load> load_under(const LayerProfile& profile, const LayerPolicy& policy);

/// Warns of a degenerate router, judged by its load: many dead or always-on experts, nearly the same experts
/// for every token, or experts that trade places between source files.
std::vector<RouterWarning> router_warnings(const LayerProfile& profile);

/// Returns {tokens, edges_id, layers[]: the members above by name, warnings[] {message, hint}, inputs[]
/// {layer, qkv, o, gate_up, neurons}}.
nlohmann::json to_json(const RoutingProfile& profile);
/// Throws Refusal when a key is missing or does not fit.
RoutingProfile routing_profile_from_json(const nlohmann::json& json);

}  // namespace ladimo
