#include "base/json_members.h"
#include "checkpoint/config.h"

namespace ladimo {
namespace {

struct KindName {
  RopeScaling::Kind kind;
  const char* name;
};
constexpr KindName kind_names[] = {{RopeScaling::Kind::none, "none"},
                                   {RopeScaling::Kind::linear, "linear"},
                                   {RopeScaling::Kind::llama3, "llama3"}};

RopeScaling::Kind kind_from_json(const JsonFields& fields) {
  const auto text = fields.text("kind");
  for (const auto& [kind, name] : kind_names)
    if (text == name) return kind;
  fields.refuse("kind", "is none of none, linear, llama3");
}

}  // namespace

template <>
struct Members<RopeScaling> {
  static constexpr std::tuple all{Member{"factor", &RopeScaling::factor},
                                  Member{"low_frequency_factor", &RopeScaling::low_frequency_factor},
                                  Member{"high_frequency_factor", &RopeScaling::high_frequency_factor},
                                  Member{"original_positions", &RopeScaling::original_positions}};
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
                                  Member{"sliding_window", &ModelConfig::sliding_window},
                                  Member{"tied_head", &ModelConfig::tied_head},
                                  Member{"attention_bias", &ModelConfig::attention_bias},
                                  Member{"mlp_bias", &ModelConfig::mlp_bias},
                                  Member{"bos", &ModelConfig::bos},
                                  Member{"eos", &ModelConfig::eos},
                                  Member{"dtype", &ModelConfig::dtype}};
};

nlohmann::json to_json(const ModelConfig& config) {
  auto json = members_to_json(config);
  json["rope_scaling"]["kind"] = kind_names[static_cast<std::size_t>(config.rope_scaling.kind)].name;
  json["parameters"] = config.parameters();
  json["ffn_parameters"] = config.ffn_parameters_per_layer() * config.layers;
  json["activated_parameters"] = config.activated_parameters();
  return json;
}

ModelConfig model_config_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "description of the model");
  auto config = members_from_json<ModelConfig>(fields);
  config.rope_scaling.kind = kind_from_json(fields.object("rope_scaling"));
  return config;
}

}  // namespace ladimo
