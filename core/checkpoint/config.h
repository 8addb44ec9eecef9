// config.json of the LLaMA family. A key that this program does not know and that could change the
// computation is refused by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"

namespace ladimo {

/// How rotary frequencies are stretched (rope_scaling / rope_parameters of Hugging Face transformers).
struct RopeScaling {
  enum class Kind { none, linear, llama3 };
  Kind kind = Kind::none;
  double factor = 1;
  double low_frequency_factor = 1;      // llama3
  double high_frequency_factor = 4;     // llama3
  std::int64_t original_positions = 0;  // llama3: original_max_position_embeddings
};

struct ModelConfig {
  std::string architecture;  // "LlamaForCausalLM" or "MistralForCausalLM"
  std::int64_t layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocab_size = 0;
  std::int64_t max_positions = 0;
  double rms_eps = 1e-5;
  double rope_theta = 1e4;
  RopeScaling rope_scaling;
  std::int64_t sliding_window = 0;  // 0: attention sees all earlier positions
  bool tied_head = false;
  bool attention_bias = false;
  bool mlp_bias = false;
  std::int64_t bos = -1;  // as config.json says; -1: none. The tokenizer decides what a text begins with.
  std::vector<std::int64_t> eos;
  std::string dtype;  // as declared: "bfloat16", ...

  /// Parameters of one FFN: gate, up, down (and biases where mlp_bias).
  std::int64_t ffn_parameters_per_layer() const;
  /// Parameters of the whole model.
  std::int64_t parameters() const;
  /// Parameters used per token by the dense model: attention, norms, FFNs, the head (tied or not) and one row
  /// of the embedding.
  std::int64_t activated_parameters() const;
  /// Parameters outside the FFNs that the dense model uses per token.
  std::int64_t activated_outside_ffns() const {
    return activated_parameters() - layers * ffn_parameters_per_layer();
  }
};

/// Parses `json`. Adds a problem for every key that is missing or impossible, and for every key that would
/// change the computation in a way that this program does not know.
ModelConfig parse_config(const nlohmann::json& json, const std::filesystem::path& path,
                         std::vector<Problem>& problems);

/// Returns the configuration as `inspect` prints it: a key per member, and the counts `parameters`,
/// `ffn_parameters` (of all layers) and `activated_parameters`. The counts follow from the other keys and are
/// not read back.
nlohmann::json to_json(const ModelConfig& config);
/// Reads what to_json() writes. Throws Refusal that names the key.
ModelConfig model_config_from_json(const nlohmann::json& json);

}  // namespace ladimo
