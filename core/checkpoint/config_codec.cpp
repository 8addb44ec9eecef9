#include <initializer_list>

#include "base/json_members.h"
#include "checkpoint/config.h"

namespace ladimo {
namespace {

constexpr const char* description = "description of the model";

struct KindName {
  RopeScaling::Kind kind;
  const char* name;
};
constexpr KindName kind_names[] = {
    {RopeScaling::Kind::none, "none"},     {RopeScaling::Kind::linear, "linear"},
    {RopeScaling::Kind::llama3, "llama3"}, {RopeScaling::Kind::dynamic, "dynamic"},
    {RopeScaling::Kind::yarn, "yarn"},     {RopeScaling::Kind::longrope, "longrope"}};

RopeScaling::Kind kind_from_json(const JsonFields& fields) {
  const auto text = fields.text("kind");
  for (const auto& [kind, name] : kind_names)
    if (text == name) return kind;
  fields.refuse("kind", "is not one of none, linear, llama3, dynamic, yarn, longrope");
}

}  // namespace

template <>
struct Members<RopeScaling> {
  static constexpr std::tuple all{Member{"factor", &RopeScaling::factor},
                                  Member{"low_frequency_factor", &RopeScaling::low_frequency_factor},
                                  Member{"high_frequency_factor", &RopeScaling::high_frequency_factor},
                                  Member{"original_positions", &RopeScaling::original_positions},
                                  Member{"attention_factor", &RopeScaling::attention_factor},
                                  Member{"beta_fast", &RopeScaling::beta_fast},
                                  Member{"beta_slow", &RopeScaling::beta_slow},
                                  Member{"truncate", &RopeScaling::truncate},
                                  Member{"short_factors", &RopeScaling::short_factors},
                                  Member{"long_factors", &RopeScaling::long_factors}};
};

template <>
struct Members<ModelConfig> {
  static constexpr std::tuple all{Member{"architecture", &ModelConfig::architecture},
                                  Member{"layers", &ModelConfig::layers},
                                  Member{"hidden_size", &ModelConfig::hidden_size},
                                  Member{"intermediate_size", &ModelConfig::intermediate_size},
                                  Member{"heads", &ModelConfig::heads},
                                  Member{"kv_heads", &ModelConfig::kv_heads},
                                  Member{"head_dim", &ModelConfig::head_dim},
                                  Member{"vocab_size", &ModelConfig::vocab_size},
                                  Member{"max_positions", &ModelConfig::max_positions},
                                  Member{"rms_eps", &ModelConfig::rms_eps},
                                  Member{"rope_theta", &ModelConfig::rope_theta},
                                  Member{"rope_scaling", &ModelConfig::rope_scaling},
                                  Member{"rotary_share", &ModelConfig::rotary_share},
                                  Member{"sliding_window", &ModelConfig::sliding_window},
                                  Member{"full_attention_layers", &ModelConfig::full_attention_layers},
                                  Member{"tied_head", &ModelConfig::tied_head},
                                  Member{"qkv_bias", &ModelConfig::qkv_bias},
                                  Member{"o_bias", &ModelConfig::o_bias},
                                  Member{"mlp_bias", &ModelConfig::mlp_bias},
                                  Member{"qk_norm", &ModelConfig::qk_norm},
                                  Member{"embedding_multiplier", &ModelConfig::embedding_multiplier},
                                  Member{"attention_multiplier", &ModelConfig::attention_multiplier},
                                  Member{"residual_multiplier", &ModelConfig::residual_multiplier},
                                  Member{"logits_scaling", &ModelConfig::logits_scaling},
                                  Member{"bos", &ModelConfig::bos},
                                  Member{"eos", &ModelConfig::eos},
                                  Member{"dtype", &ModelConfig::dtype}};
};

namespace {

// Older programs described LLaMA and Mistral only. The keys that they lack have the values of these families.
nlohmann::json completed(nlohmann::json json) {
  if (json.contains("qkv_bias")) return json;
  ModelConfig older;
  older.qkv_bias = older.o_bias = JsonFields(json, description).flag("attention_bias");
  const auto complete = [](nlohmann::json& object, const nlohmann::json& defaults,
                           std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      if (object.is_object()) object[key] = defaults.at(key);
  };
  complete(json, members_to_json(older),
           {"rotary_share", "full_attention_layers", "qkv_bias", "o_bias", "qk_norm", "embedding_multiplier",
            "residual_multiplier", "logits_scaling"});
  complete(json["rope_scaling"], members_to_json(older.rope_scaling),
           {"attention_factor", "beta_fast", "beta_slow", "truncate", "short_factors", "long_factors"});
  return json;
}

}  // namespace

nlohmann::json to_json(const ModelConfig& config) {
  auto json = members_to_json(config);
  json["rope_scaling"]["kind"] = kind_names[static_cast<std::size_t>(config.rope_scaling.kind)].name;
  json["family"] = config.family();
  json["parameters"] = config.parameters();
  json["ffn_parameters"] = config.ffn_parameters_per_layer() * config.layers;
  json["activated_parameters"] = config.activated_parameters();
  return json;
}

ModelConfig model_config_from_json(const nlohmann::json& json) {
  const JsonFields given(json, description);  // refuses what is not an object
  const auto whole = completed(given.value());
  const JsonFields fields(whole, description);
  auto config = members_from_json<ModelConfig>(fields);
  config.rope_scaling.kind = kind_from_json(fields.object("rope_scaling"));
  return config;
}

}  // namespace ladimo
