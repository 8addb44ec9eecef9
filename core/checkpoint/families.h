// The model families, a row each: how config.json names a family, what Hugging Face transformers assumes for
// the keys that it leaves out, which tensors its layers have, and which keys mean something in this family
// only. docs/families.md says how to add one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "checkpoint/config_keys.h"

namespace ladimo {

/// A biased projection has a bias in every checkpoint, in none, or where config.json says so.
enum class Biased { never, always, by_config };

/// How config.json says which positions attention sees.
enum class AttentionSpan {
  all,       // every earlier position
  window,    // the last `sliding_window` ones in every layer, where the key is given
  by_layer,  // with use_sliding_window, in the layers that layer_types or max_window_layers names
};

struct Family {
  const char* name;          // as people know it: "Qwen2"
  const char* architecture;  // in "architectures": "Qwen2ForCausalLM"
  const char* model_type;    // in "model_type": "qwen2"

  // What transformers 5 assumes for absent keys (models/MODEL_TYPE/configuration_MODEL_TYPE.py).
  std::int64_t positions = 0;
  std::int64_t kv_heads = 0;  // 0: as many as heads
  std::int64_t head_dim = 0;  // 0: hidden_size / heads
  double rms_eps = 1e-6;
  std::int64_t sliding_window = 0;      // 0: none
  std::int64_t original_positions = 0;  // of stretched rotary embeddings; 0: max_position_embeddings
  std::int64_t bos = -1, eos = -1;      // -1: none

  // What the layers hold.
  Biased qkv_bias = Biased::never;  // by_config: attention_bias
  Biased o_bias = Biased::never;    // by_config: attention_bias
  Biased mlp_bias = Biased::never;  // by_config: mlp_bias
  bool qk_norm = false;             // queries and keys are normalised in each head
  bool fused = false;               // q, k, v and gate, up are stored as one tensor each (fused_tensors.h)

  // What they compute.
  AttentionSpan span = AttentionSpan::all;
  bool partial_rotary = false;              // partial_rotary_factor may be below 1
  const char* longrope_alias = "longrope";  // another rope type that means longrope here
  bool multipliers = false;  // embedding_, attention_ and residual_multiplier and logits_scaling are used

  // Keys of config.json beside those of all families.
  std::span<const std::string_view> keys = {};      // read here
  std::span<const AgreedKey> agreed = {};           // say what is computed anyway
  std::span<const std::string_view> harmless = {};  // do not affect the computation in this family
};

/// All families, LLaMA first.
std::span<const Family> families();
/// The family of an architecture. Null when there is none.
const Family* family_of(std::string_view architecture);
/// The architectures in words: "A, B and C".
std::string known_architectures();

}  // namespace ladimo
