#include "base/json_fields.h"
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

nlohmann::json to_json(const RopeScaling& scaling) {
  return {{"kind", kind_names[static_cast<std::size_t>(scaling.kind)].name},
          {"factor", scaling.factor},
          {"low_frequency_factor", scaling.low_frequency_factor},
          {"high_frequency_factor", scaling.high_frequency_factor},
          {"original_positions", scaling.original_positions}};
}

RopeScaling::Kind kind_from_json(const JsonFields& fields) {
  const auto text = fields.text("kind");
  for (const auto& [kind, name] : kind_names)
    if (text == name) return kind;
  fields.refuse("kind", "is none of none, linear, llama3");
}

RopeScaling scaling_from_json(const JsonFields& fields) {
  return {kind_from_json(fields), fields.number("factor"), fields.number("low_frequency_factor"),
          fields.number("high_frequency_factor"), fields.integer("original_positions")};
}

}  // namespace

nlohmann::json to_json(const ModelConfig& config) {
  return {{"architecture", config.architecture},
          {"layers", config.layers},
          {"hidden_size", config.hidden_size},
          {"intermediate_size", config.intermediate_size},
          {"heads", config.heads},
          {"kv_heads", config.kv_heads},
          {"head_dim", config.head_dim},
          {"vocab_size", config.vocab_size},
          {"max_positions", config.max_positions},
          {"rms_eps", config.rms_eps},
          {"rope_theta", config.rope_theta},
          {"rope_scaling", to_json(config.rope_scaling)},
          {"sliding_window", config.sliding_window},
          {"tied_head", config.tied_head},
          {"attention_bias", config.attention_bias},
          {"mlp_bias", config.mlp_bias},
          {"bos", config.bos},
          {"eos", config.eos},
          {"dtype", config.dtype},
          {"parameters", config.parameters()},
          {"ffn_parameters", config.ffn_parameters_per_layer() * config.layers},
          {"activated_parameters", config.activated_parameters()}};
}

ModelConfig model_config_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "description of the model");
  ModelConfig config;
  config.architecture = fields.text("architecture");
  config.layers = fields.integer("layers");
  config.hidden_size = fields.integer("hidden_size");
  config.intermediate_size = fields.integer("intermediate_size");
  config.heads = fields.integer("heads");
  config.kv_heads = fields.integer("kv_heads");
  config.head_dim = fields.integer("head_dim");
  config.vocab_size = fields.integer("vocab_size");
  config.max_positions = fields.integer("max_positions");
  config.rms_eps = fields.number("rms_eps");
  config.rope_theta = fields.number("rope_theta");
  config.rope_scaling = scaling_from_json(fields.object("rope_scaling"));
  config.sliding_window = fields.integer("sliding_window");
  config.tied_head = fields.flag("tied_head");
  config.attention_bias = fields.flag("attention_bias");
  config.mlp_bias = fields.flag("mlp_bias");
  config.bos = fields.integer("bos");
  config.eos = fields.integers("eos");
  config.dtype = fields.text("dtype");
  return config;
}

}  // namespace ladimo
