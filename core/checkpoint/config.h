// config.json of the model families (checkpoint/families.h). A key that this program does not know and that
// could change the computation is refused by name.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "checkpoint/rope_scaling.h"

namespace ladimo {

struct ModelConfig {
  std::string architecture;  // a name in checkpoint/families.h: "LlamaForCausalLM"
  std::int64_t layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocab_size = 0;
  std::int64_t max_positions = 0;  // with dynamic and yarn those that stretching reaches
  double rms_eps = 1e-5;
  double rope_theta = 1e4;
  RopeScaling rope_scaling;
  double rotary_share = 1;                          // of each head's dimensions; the others are not rotated
  std::int64_t sliding_window = 0;                  // 0: attention sees all earlier positions
  std::vector<std::int64_t> full_attention_layers;  // layers that the sliding window does not apply to
  bool tied_head = false;
  bool qkv_bias = false;
  bool o_bias = false;
  bool mlp_bias = false;
  bool qk_norm = false;             // RMS norm of the queries and keys of each head, before they are rotated
  double embedding_multiplier = 1;  // of embeddings, where they enter the residual stream
  std::optional<double> attention_multiplier;  // of attention scores; absent: 1 / sqrt(head_dim)
  double residual_multiplier = 1;              // of what attention and FFN add to the residual stream
  double logits_scaling = 1;                   // divides the logits
  std::int64_t bos = -1;  // as config.json says; -1: none. The tokenizer decides what a text begins with.
  std::vector<std::int64_t> eos;
  std::string dtype;  // as declared: "bfloat16", ...

  /// The family's name: "Llama". Empty for an architecture that is not known.
  std::string family() const;
  /// Dimensions of each head that are rotated.
  std::int64_t rotary_dim() const;
  /// The longest text whose positions turn with the same frequencies as those of a text of `length` tokens:
  /// all that the model has, unless frequencies follow from the length (dynamic, longrope).
  std::int64_t longest_alike(std::int64_t length) const;
  /// What attention scores are multiplied by.
  double attention_scale() const;
  /// The sliding window of one layer; 0: none.
  std::int64_t sliding_window_of(std::int64_t layer) const;
  /// Parameters of one FFN: gate, up, down (and biases where mlp_bias).
  std::int64_t ffn_parameters_per_layer() const;
  /// Parameters of the queries', keys' and values' projections of one layer, and of the output projection,
  /// without biases.
  std::int64_t qkv_parameters() const { return hidden_size * (heads + 2 * kv_heads) * head_dim; }
  std::int64_t o_parameters() const { return hidden_size * heads * head_dim; }
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

/// Returns the configuration as `inspect` prints it: a key per member, `family`, and the counts `parameters`,
/// `ffn_parameters` (of all layers) and `activated_parameters`. Family and counts follow from the other keys
/// and are not read back.
nlohmann::json to_json(const ModelConfig& config);
/// Reads what to_json() writes, also by programs that knew only LLaMA and Mistral. Throws Refusal that names
/// the key.
ModelConfig model_config_from_json(const nlohmann::json& json);

}  // namespace ladimo
