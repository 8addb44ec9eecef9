#include "policy/layer_policy.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/json_fields.h"

namespace ladimo {
namespace {

constexpr std::string_view spellings =
    "A layer's policy is written dense, top2 (two routed experts for every token) or th0.031 (routed experts "
    "whose routing weight is at least 0.031).";

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

}  // namespace

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

LayerPolicy parse_layer_policy(std::string_view text) {
  if (text == "dense") return LayerPolicy::dense();
  if (text.starts_with("top"))
    if (const auto k = parse_whole<int>(text.substr(3)); k && *k >= 0) return LayerPolicy::top(*k);
  if (text.starts_with("th"))
    if (const auto threshold = parse_whole<double>(text.substr(2)); threshold && std::isfinite(*threshold))
      return LayerPolicy::above(*threshold);
  throw Refusal(fmt::format("\"{}\" is not a layer's policy.", text), std::string(spellings));
}

Pin parse_pin(std::string_view text) {
  const auto equals = text.find('=');
  const auto layer = parse_whole<int>(text.substr(0, equals));
  if (equals == std::string_view::npos || !layer || *layer < 0)
    throw Refusal(fmt::format("\"{}\" is not a pin.", text),
                  "A pin is a layer and its policy: 3=dense, 3=top2 or 3=th0.031.");
  return {*layer, parse_layer_policy(text.substr(equals + 1))};
}

nlohmann::json to_json(const LayerPolicy& policy, int layer) {
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

LayerPolicy layer_policy_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "layer's policy");
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
  fields.refuse("kind", "is none of dense, top_k, threshold");
}

}  // namespace ladimo
