// How one layer decides which routed experts run (docs/method.md "Stage 2").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

struct LayerPolicy {
  enum class Kind { dense, top_k, threshold };
  Kind kind = Kind::dense;
  int k = 0;                // top_k: routed experts that run for every token
  double threshold = 0;     // threshold: an expert runs iff its routing weight >= threshold
  double mean_experts = 0;  // threshold: routed experts on per token, as predicted; top_k: k

  static LayerPolicy dense() { return {}; }
  static LayerPolicy top(int k) { return {Kind::top_k, k, 0, static_cast<double>(k)}; }
  static LayerPolicy above(double threshold, double mean_experts = 0) {
    return {Kind::threshold, 0, threshold, mean_experts};
  }
  bool operator==(const LayerPolicy&) const = default;
};

/// One policy for every layer of the model.
using ModelPolicy = std::vector<LayerPolicy>;

/// "dense", "top_k", "threshold".
const char* to_string(LayerPolicy::Kind kind);
/// "dense", "top2", "th0.031": the spelling of `--pin`.
std::string to_string(const LayerPolicy& policy);
/// The inverse; throws Refusal with the three spellings as its hint.
LayerPolicy parse_layer_policy(std::string_view text);

/// A layer that keeps its policy whatever the slider says.
struct Pin {
  int layer = 0;
  LayerPolicy policy;
};
/// "3=dense", "3=top2", "3=th0.031". Throws Refusal.
Pin parse_pin(std::string_view text);

/// {"layer": i, "kind": "threshold", "threshold": t, "mean_experts": m} and so on: one entry of a policy
/// file.
nlohmann::json to_json(const LayerPolicy& policy, int layer);
/// Throws Refusal when a key is missing or the kind unknown.
LayerPolicy layer_policy_from_json(const nlohmann::json& json);

}  // namespace ladimo
