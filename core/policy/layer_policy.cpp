#include "policy/layer_policy.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json_fields.h"

namespace ladimo {
namespace {

constexpr std::string_view spellings =
    "A layer's policy is written dense, top2 (two routed experts for every token) or th0.031 (routed experts "
    "whose routing weight is at least 0.031). Thresholds of inputs and neurons follow: "
    "dense+gate_up0.1+neurons0.02.";

/// Parses the whole of `text` as a number, or returns nothing.
template <class T>
std::optional<T> parse_whole(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// The shortest decimal digits that read back as `value`, without an exponent.
std::string shortest(double value) {
  std::array<char, 400> digits;  // the longest finite double in plain decimals is shorter
  const auto end =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed).ptr;
  return {digits.data(), end};
}

std::string kind_to_string(const LayerPolicy& policy) {
  switch (policy.kind) {
    case LayerPolicy::Kind::top_k:
      return fmt::format("top{}", policy.k);
    case LayerPolicy::Kind::threshold:
      return "th" + shortest(policy.threshold);
    case LayerPolicy::Kind::dense:
      break;
  }
  return "dense";
}

nlohmann::json kind_to_json(const LayerPolicy& policy, int layer) {
  switch (policy.kind) {
    case LayerPolicy::Kind::top_k:
      return {{"layer", layer}, {"kind", to_string(policy.kind)}, {"k", policy.k}};
    case LayerPolicy::Kind::threshold:
      return {{"layer", layer},
              {"kind", to_string(policy.kind)},
              {"threshold", policy.threshold},
              {"mean_experts", policy.mean_experts}};
    case LayerPolicy::Kind::dense:
      break;
  }
  return {{"layer", layer}, {"kind", to_string(policy.kind)}};
}

LayerPolicy kind_from_json(const JsonFields& fields) {
  const std::string kind = fields.text("kind");
  if (kind == "dense") return LayerPolicy::dense();
  if (kind == "top_k") {
    const int k = fields.small("k");
    if (k < 0) fields.refuse("k", "is negative");
    return LayerPolicy::top(k);
  }
  if (kind == "threshold") {
    const double mean_experts = fields.number("mean_experts");
    if (mean_experts < 0) fields.refuse("mean_experts", "is negative");
    return LayerPolicy::above(fields.number("threshold"), mean_experts);
  }
  fields.refuse("kind", "is not one of dense, top_k, threshold");
}

InputCut cut_from_json(const JsonFields& thresholds, const std::string& threshold, const JsonFields& shares,
                       const std::string& share) {
  const InputCut cut{thresholds.number(threshold), shares.number(share)};
  if (cut.threshold < 0) thresholds.refuse(threshold, "is negative");
  if (cut.share < 0 || cut.share > 1) shares.refuse(share, "is not between 0 and 1");
  return cut;
}

/// The whole spelling of one cut, such as gate_up0.1.
std::optional<std::pair<Product, double>> parse_cut(std::string_view text) {
  for (const Product product : all_products) {
    const std::string_view name = to_string(product);
    if (!text.starts_with(name)) continue;
    const auto threshold = parse_whole<double>(text.substr(name.size()));
    if (threshold && std::isfinite(*threshold) && *threshold >= 0) return std::pair(product, *threshold);
  }
  return {};
}

std::optional<LayerPolicy> parse_kind(std::string_view text) {
  if (text == "dense") return LayerPolicy::dense();
  if (text.starts_with("top"))
    if (const auto k = parse_whole<int>(text.substr(3)); k && *k >= 0) return LayerPolicy::top(*k);
  if (text.starts_with("th"))
    if (const auto threshold = parse_whole<double>(text.substr(2)); threshold && std::isfinite(*threshold))
      return LayerPolicy::above(*threshold);
  return {};
}

}  // namespace

const char* to_string(Product product) {
  switch (product) {
    case Product::qkv:
      return "qkv";
    case Product::o:
      return "o";
    case Product::gate_up:
      return "gate_up";
    case Product::down:
      break;
  }
  return "neurons";
}

const char* to_string(LayerPolicy::Kind kind) {
  switch (kind) {
    case LayerPolicy::Kind::top_k:
      return "top_k";
    case LayerPolicy::Kind::threshold:
      return "threshold";
    case LayerPolicy::Kind::dense:
      break;
  }
  return "dense";
}

std::string to_string(const LayerPolicy& policy) {
  std::string text = kind_to_string(policy);
  for (const Product product : all_products)
    if (const double threshold = policy.cut(product).threshold; threshold > 0)
      text += fmt::format("+{}{}", to_string(product), shortest(threshold));
  return text;
}

LayerPolicy parse_layer_policy(std::string_view text) {
  const auto refusal = Refusal(fmt::format("\"{}\" is not a layer's policy.", text), std::string(spellings));
  auto end = text.find('+');
  auto policy = parse_kind(text.substr(0, end));
  if (!policy) throw refusal;
  while (end != std::string_view::npos) {
    text = text.substr(end + 1);
    end = text.find('+');
    const auto cut = parse_cut(text.substr(0, end));
    if (!cut) throw refusal;
    policy->cut(cut->first).threshold = cut->second;
  }
  return *policy;
}

Pin parse_pin(std::string_view text) {
  const auto equals = text.find('=');
  const auto layer = parse_whole<int>(text.substr(0, equals));
  if (equals == std::string_view::npos || !layer || *layer < 0)
    throw Refusal(fmt::format("\"{}\" is not a pin.", text),
                  "A pin is a layer and its policy: 3=dense, 3=top2, 3=th0.031 or 3=dense+neurons0.02.");
  return {*layer, parse_layer_policy(text.substr(equals + 1))};
}

nlohmann::json to_json(const LayerPolicy& policy, int layer) {
  auto json = kind_to_json(policy, layer);
  for (const Product product : all_products) {
    const InputCut& cut = policy.cut(product);
    if (cut.threshold <= 0) continue;
    if (product == Product::down) {
      json["neurons"] = {{"threshold", cut.threshold}, {"share", cut.share}};
      continue;
    }
    json["inputs"][to_string(product)] = cut.threshold;
    json["inputs"]["share"][to_string(product)] = cut.share;
  }
  return json;
}

LayerPolicy layer_policy_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "layer's policy");
  LayerPolicy policy = kind_from_json(fields);
  if (fields.has("neurons")) {
    const auto neurons = fields.object("neurons");
    policy.cut(Product::down) = cut_from_json(neurons, "threshold", neurons, "share");
  }
  if (!fields.has("inputs")) return policy;
  const auto inputs = fields.object("inputs");
  for (const Product product : {Product::qkv, Product::o, Product::gate_up})
    if (const char* const name = to_string(product); inputs.has(name))
      policy.cut(product) = cut_from_json(inputs, name, inputs.object("share"), name);
  return policy;
}

}  // namespace ladimo
