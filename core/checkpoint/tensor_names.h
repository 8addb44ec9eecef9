// The tensors of a model and their names in all families, as data.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/config.h"
#include "checkpoint/safetensors.h"

namespace ladimo {

enum class Role {
  embedding,       // [vocab, d]
  final_norm,      // [d]
  head,            // [vocab, d]; absent when tied
  attention_norm,  // [d]
  q,
  k,
  v,  // [heads * head_dim, d], [kv_heads * head_dim, d] twice
  o,  // [d, heads * head_dim]
  q_bias,
  k_bias,
  v_bias,
  o_bias,
  q_norm,
  k_norm,    // [head_dim]
  ffn_norm,  // [d]
  gate,
  up,    // [f, d]
  down,  // [d, f]
  gate_bias,
  up_bias,
  down_bias,
};

/// The Hugging Face name of a tensor; `layer` is ignored for roles outside the layers.
std::string tensor_name(Role role, std::int64_t layer = 0);

/// The shape a tensor must have under `config`.
std::vector<std::int64_t> tensor_shape(Role role, const ModelConfig& config);

/// Whether the tensor belongs to the FFN of a layer (its norm does not).
bool is_ffn(Role role);

/// Whether a checkpoint of this config has tensors of this role (a separate head, biases).
bool has_role(Role role, const ModelConfig& config);

struct ExpectedTensor {
  Role role;
  std::int64_t layer;
  std::string name;
  std::vector<std::int64_t> shape;
};

/// Every tensor that a checkpoint of this config must have, in file order.
std::vector<ExpectedTensor> expected_tensors(const ModelConfig& config);

/// Whether an unexpected tensor may be ignored, because it follows from the others (stored rotary
/// frequencies, the copy of a tied head).
bool is_harmless_extra(const std::string& name, const ModelConfig& config);

}  // namespace ladimo
