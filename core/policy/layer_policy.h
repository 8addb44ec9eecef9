// How one layer decides which routed experts run (docs/method.md "Stage 2").
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// The products of a layer whose inputs may be left out one by one. Those of `down` are the neurons.
enum class Product { qkv, o, gate_up, down };
inline constexpr std::array all_products{Product::qkv, Product::o, Product::gate_up, Product::down};

/// Which inputs of one product run. An input x_i runs iff its routing weight >= threshold: |x_i|, and for a
/// neuron |h_j| times the norm of its row of down (TEAL, arXiv 2408.14690).
struct InputCut {
  double threshold = 0;  // 0: all run
  double share = 1;      // of the product's inputs that run per token, as predicted
  bool operator==(const InputCut&) const = default;
};

struct LayerPolicy {
  enum class Kind { dense, top_k, threshold };
  Kind kind = Kind::dense;
  int k = 0;                // top_k: routed experts that run for every token
  double threshold = 0;     // threshold: an expert runs iff its routing weight >= threshold
  double mean_experts = 0;  // threshold: routed experts on per token, as predicted; top_k: k
  std::array<InputCut, all_products.size()> cuts = {};

  const InputCut& cut(Product product) const { return cuts[static_cast<std::size_t>(product)]; }
  InputCut& cut(Product product) { return cuts[static_cast<std::size_t>(product)]; }
  /// Whether some inputs of some product may be left out.
  bool cuts_inputs() const {
    return std::ranges::any_of(cuts, [](const InputCut& c) { return c.threshold > 0; });
  }
  /// Whether some inputs of the FFN's products may be.
  bool cuts_ffn() const { return cut(Product::gate_up).threshold > 0 || cut(Product::down).threshold > 0; }
  /// Whether the layer computes what the original does: dense, with all inputs.
  bool original() const { return kind == Kind::dense && !cuts_inputs(); }

  static LayerPolicy dense() { return {}; }
  static LayerPolicy top(int k) { return {Kind::top_k, k, 0, static_cast<double>(k), {}}; }
  static LayerPolicy above(double threshold, double mean_experts = 0) {
    return {Kind::threshold, 0, threshold, mean_experts, {}};
  }
  bool operator==(const LayerPolicy&) const = default;
};

/// One policy for every layer of the model.
using ModelPolicy = std::vector<LayerPolicy>;

/// Returns "dense", "top_k" or "threshold".
const char* to_string(LayerPolicy::Kind kind);
/// Returns "qkv", "o", "gate_up" or "neurons".
const char* to_string(Product product);
/// Returns for example "dense", "top2" or "th0.031", as `--pin` spells it, and after it what is left out with
/// single inputs: "dense+qkv0.12+neurons0.05".
std::string to_string(const LayerPolicy& policy);
/// Parses such a spelling. Throws Refusal for any other text, with the spellings as its hint.
LayerPolicy parse_layer_policy(std::string_view text);

/// A layer that keeps its policy at every position of the slider.
struct Pin {
  int layer = 0;
  LayerPolicy policy;
};
/// Parses a pin such as "3=dense", "3=top2" or "3=th0.031". Throws Refusal for any other text.
Pin parse_pin(std::string_view text);

/// One entry of a policy file, such as {"layer": i, "kind": "threshold", "threshold": t, "mean_experts": m}.
/// Where single inputs are left out also "neurons": {"threshold", "share"} and "inputs": {"qkv": t, "o": t,
/// "gate_up": t, "share": {"qkv": s, ...}} with those products that leave some out.
nlohmann::json to_json(const LayerPolicy& policy, int layer);
/// Throws Refusal when a key is missing or the kind is unknown.
LayerPolicy layer_policy_from_json(const nlohmann::json& json);

}  // namespace ladimo
