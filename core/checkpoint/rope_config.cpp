#include "checkpoint/rope_config.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;
using Kind = RopeScaling::Kind;

constexpr const char* correct_it = "Correct config.json or download it again.";

struct RopeType {
  std::string_view name;
  Kind kind;
  std::span<const std::string_view> keys;  // beside used_rope_keys
};

constexpr RopeType rope_types[] = {
    {"default", Kind::none, {}},           {"linear", Kind::linear, {}},
    {"dynamic", Kind::dynamic, {}},        {"llama3", Kind::llama3, llama3_keys},
    {"yarn", Kind::yarn, yarn_keys},       {"longrope", Kind::longrope, longrope_keys},
    {"su", Kind::longrope, longrope_keys},  // its first name
};

const RopeType* find_type(std::string_view name, const Family& family) {
  if (name == family.longrope_alias) name = "longrope";
  const auto found = std::ranges::find(rope_types, name, &RopeType::name);
  return found == std::end(rope_types) ? nullptr : &*found;
}

// The object that holds the type; absent where positions are not stretched.
std::optional<ConfigReader> rope_object(const ConfigReader& reader) {
  const Json* old_spelling = reader.value("rope_scaling");
  const Json* new_spelling = reader.value("rope_parameters");
  if (old_spelling && new_spelling && *old_spelling != *new_spelling)
    reader.complain("rope_scaling", "contradicts rope_parameters.", "Remove one of them.");
  const char* key = old_spelling ? "rope_scaling" : "rope_parameters";
  if (!old_spelling && !new_spelling) return std::nullopt;
  if (reader.value(key)->is_object()) return reader.object(key);
  reader.complain_value(key, "an object or null");
  return std::nullopt;
}

void read_rotary_share(const ConfigReader& reader, const Family& family, ModelConfig& config) {
  const Json* found = reader.value("partial_rotary_factor");
  if (found == nullptr || *found == 1) return;
  const double share = found->is_number() ? found->get<double>() : 0;
  if (!family.partial_rotary) {
    reader.complain("partial_rotary_factor", fmt::format("is {}; only 1 is supported.", spelled_json(*found)),
                    fmt::format("{} models rotate the whole of each head.", family.name));
  } else if (!(share > 0 && share <= 1)) {
    reader.complain_value("partial_rotary_factor", "a number above 0 and at most 1");
  } else {
    config.rotary_share = share;
    if (config.rotary_dim() < 2 || config.rotary_dim() % 2 != 0)
      reader.complain("partial_rotary_factor",
                      fmt::format("rotates {} of {} dimensions; the number must be even.",
                                  config.rotary_dim(), config.head_dim),
                      correct_it);
  }
}

// The length that the model was trained on before it was stretched. The key outside rope_scaling decides, and
// in Phi-3 its default does, as in transformers.
std::int64_t original_positions(const ConfigReader& reader, const ConfigReader& rope, const Family& family,
                                const ModelConfig& config) {
  const char* key = "original_max_position_embeddings";
  const auto inside = rope.size(key, most_positions, config.max_positions);
  return reader.size(key, most_positions, family.original_positions > 0 ? family.original_positions : inside);
}

// What stretching to `factor` times the original positions reaches.
std::int64_t reached(const RopeScaling& scaling) {
  const double positions = std::floor(scaling.factor * static_cast<double>(scaling.original_positions));
  return static_cast<std::int64_t>(std::min(positions, static_cast<double>(most_positions)));
}

// The attention factor of yarn, as in _compute_yarn_parameters of transformers.
double yarn_attention_factor(const ConfigReader& rope, double factor) {
  const auto scale = [&](double weight) { return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1; };
  double natural = scale(1);
  if (rope.value("mscale") != nullptr && rope.value("mscale_all_dim") != nullptr)
    natural = scale(rope.positive("mscale")) / scale(rope.positive("mscale_all_dim"));
  return rope.positive("attention_factor", natural);
}

void read_longrope(const ConfigReader& rope, ModelConfig& config) {
  RopeScaling& scaling = config.rope_scaling;
  const auto original = static_cast<double>(scaling.original_positions);
  const double factor = rope.positive("factor", static_cast<double>(config.max_positions) / original);
  const double natural = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original));
  if (!std::isfinite(natural))
    rope.complain("original_max_position_embeddings", "must be at least 2.", correct_it);
  scaling.attention_factor = rope.positive("attention_factor", natural);
  scaling.short_factors = rope.positives("short_factor", config.rotary_dim() / 2);
  scaling.long_factors = rope.positives("long_factor", config.rotary_dim() / 2);
}

void read_scaling(const ConfigReader& reader, const ConfigReader& rope, Kind kind, const Family& family,
                  ModelConfig& config) {
  RopeScaling& scaling = config.rope_scaling;
  scaling.kind = kind;
  if (kind == Kind::llama3 || kind == Kind::yarn || kind == Kind::longrope)
    scaling.original_positions = original_positions(reader, rope, family, config);
  if (kind == Kind::dynamic) scaling.original_positions = config.max_positions;
  if (kind != Kind::none && kind != Kind::longrope) scaling.factor = rope.positive("factor");
  if (kind == Kind::dynamic || kind == Kind::yarn)
    config.max_positions = std::max(config.max_positions, reached(scaling));
  if (kind == Kind::dynamic && config.rotary_dim() == 2)
    rope.complain("rope_type", "is \"dynamic\", which needs more than 2 rotated dimensions.", correct_it);
  if (kind == Kind::llama3) {
    scaling.low_frequency_factor = rope.positive("low_freq_factor");
    scaling.high_frequency_factor = rope.positive("high_freq_factor");
    if (scaling.high_frequency_factor <= scaling.low_frequency_factor)
      rope.complain("high_freq_factor", "must be larger than low_freq_factor.", correct_it);
  } else if (kind == Kind::yarn) {
    scaling.attention_factor = yarn_attention_factor(rope, scaling.factor);
    scaling.beta_fast = rope.positive("beta_fast", scaling.beta_fast);
    scaling.beta_slow = rope.positive("beta_slow", scaling.beta_slow);
    scaling.truncate = rope.flag("truncate", true);
  } else if (kind == Kind::longrope) {
    read_longrope(rope, config);
  }
}

}  // namespace

// Old configs have rope_theta beside rope_scaling, new ones inside rope_parameters.
void read_rope(const ConfigReader& reader, const Family& family, ModelConfig& config) {
  config.rope_theta = reader.positive("rope_theta", 1e4);
  const auto rope = rope_object(reader);
  const bool inside = rope && rope->value("partial_rotary_factor") != nullptr;
  read_rotary_share(inside ? *rope : reader, family, config);
  if (!rope) return;
  config.rope_theta = rope->positive("rope_theta", config.rope_theta);
  const char* type_key = rope->value("rope_type") ? "rope_type" : "type";
  // As in transformers, no type means "default". A factor without a type may be any scaling.
  const bool plain = rope->value(type_key) == nullptr && rope->value("factor") == nullptr;
  const std::string name = plain ? "default" : rope->text(type_key);
  const RopeType* type = find_type(name, family);
  if (type != nullptr) {
    rope->only({used_rope_keys, type->keys}, {}, {}, family.name);
    read_scaling(reader, *rope, type->kind, family, config);
  } else {
    rope->complain(type_key,
                   name.empty() ? "is missing." : fmt::format("is \"{}\", an unknown rope type.", name),
                   "default, linear, dynamic, llama3, yarn and longrope are supported.");
  }
}

}  // namespace ladimo
