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

/// Returns "dense", "top_k" or "threshold".
const char* to_string(LayerPolicy::Kind kind);
/// Returns for example "dense", "top2" or "th0.031", as `--pin` spells it.
std::string to_string(const LayerPolicy& policy);
/// Parses such a spelling. Throws Refusal for any other text, with the three spellings as its hint.
LayerPolicy parse_layer_policy(std::string_view text);

/// A layer that keeps its policy at every position of the slider.
struct Pin {
  int layer = 0;
  LayerPolicy policy;
};
/// Parses a pin such as "3=dense", "3=top2" or "3=th0.031". Throws Refusal for any other text.
Pin parse_pin(std::string_view text);

/// One entry of a policy file, such as {"layer": i, "kind": "threshold", "threshold": t, "mean_experts": m}.
nlohmann::json to_json(const LayerPolicy& policy, int layer);
/// Throws Refusal when a key is missing or the kind is unknown.
LayerPolicy layer_policy_from_json(const nlohmann::json& json);

}  // namespace ladimo
