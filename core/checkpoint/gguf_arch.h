// What a dense checkpoint gives to a GGUF file, in the words of llama.cpp's architectures: keys, and all
// tensors. The FFNs stand alone, so that experts can take their place.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/gguf_writer.h"

namespace ladimo {

/// An architecture of llama.cpp (src/models/NAME.cpp there), as far as its loader and its graph differ.
struct GgufArch {
  const char* name;                   // general.architecture, and the prefix of its keys
  bool interleaved = false;           // dimensions 2i and 2i + 1 of a head turn together, not i and i + hd/2
  bool rope_factors = false;          // takes rope_freqs.weight and rope_factors_*.weight
  bool multipliers = false;           // takes Granite's (attention.scale, ...), and needs logit_scale
  bool qkv_bias = false;              // takes attn_q.bias, attn_k.bias, attn_v.bias
  bool o_bias = false;                // takes attn_output.bias
  bool mlp_bias = false;              // takes ffn_gate.bias, ffn_up.bias, ffn_down.bias of dense FFNs
  bool qk_norm = false;               // takes attn_q_norm, attn_k_norm
  bool needs_qk_norm = false;         // does not load without them
  bool square = false;                // needs heads * head_dim == hidden_size
  bool needs_output = false;          // needs output.weight even where the head is tied
  const char* ffn_norm = "ffn_norm";  // blk.N.NAME.weight: the norm before the FFN
};

/// llama, qwen2, qwen3, granite; with experts llama (Mixtral), granitemoe, qwen2moe, glm4moe. Throws Error
/// for another name.
const GgufArch& gguf_arch(std::string_view name);

/// The architecture that a dense model has in GGUF: llama for Llama and Mistral, qwen2, qwen3, granite. Null
/// for a family that has none here.
const GgufArch* dense_gguf_arch(const ModelConfig& config);

/// Why the part of a model outside its FFNs cannot be a model of `arch`: one sentence each with a hint
/// (biases, norms, rotary scaling, multipliers, windows). Empty where it can. The FFNs' biases are looked at
/// only with `dense_ffns`.
std::vector<Problem> gguf_arch_problems(const ModelConfig& config, const GgufArch& arch, bool dense_ffns);

/// Adds general.architecture, general.type, general.name (of the folder or file), general.license where the
/// model names one, general.quantization_version, general.file_type.
void add_gguf_general_keys(GgufKeys& keys, const Checkpoint& checkpoint, const GgufArch& arch,
                           GgufPrecision precision);

/// Adds, each with `arch.name` and a dot in front: block_count, context_length, embedding_length, vocab_size,
/// attention.head_count, attention.head_count_kv, attention.key_length, attention.value_length,
/// attention.layer_norm_rms_epsilon, attention.sliding_window where there is one, rope.dimension_count,
/// rope.freq_base, rope.scaling.* (linear, yarn, longrope), Granite's multipliers where arch takes them.
/// feed_forward_length and the experts' keys are the caller's. Throws Refusal with
/// gguf_arch_problems(dense_ffns false).
void add_gguf_attention_keys(GgufKeys& keys, const ModelConfig& config, const GgufArch& arch);

/// rope_freqs.weight [rotary_dim / 2] of llama3, or the two tensors of longrope, as F32. Empty for others.
std::vector<GgufTensor> gguf_rope_tensors(const ModelConfig& config);

/// The tensors before the layers: token_embd.weight, and those of gguf_rope_tensors().
/// All functions below give every tensor the precision that gguf_precision_for() says. The values are read
/// from the checkpoint's files when they are asked for, quantised ones without rounding them to bf16 first:
/// the checkpoint, or a copy of it, must outlive the tensors.
std::vector<GgufTensor> gguf_first_tensors(const Checkpoint& checkpoint, GgufPrecision precision);
/// blk.N.*: attn_norm, attn_q, attn_k, attn_v (and biases), attn_q_norm, attn_k_norm, attn_output (and bias),
/// and the norm before the FFN under the name that arch has. Rows of q and k are in arch's order.
std::vector<GgufTensor> gguf_attention_tensors(const Checkpoint& checkpoint, std::int64_t layer,
                                               const GgufArch& arch, GgufPrecision precision);
/// blk.N.ffn_gate, ffn_up, ffn_down (and biases) of the dense FFN.
std::vector<GgufTensor> gguf_dense_ffn_tensors(const Checkpoint& checkpoint, std::int64_t layer,
                                               GgufPrecision precision);
/// output_norm.weight, and output.weight unless the head is tied and arch does without it.
std::vector<GgufTensor> gguf_last_tensors(const Checkpoint& checkpoint, const GgufArch& arch,
                                          GgufPrecision precision);

/// Rows in the order of interleaving architectures: reshape(heads, 2, hd/2, columns).swapaxes(1, 2). `values`
/// is [rows, columns] row-major, or a bias [rows] with `columns` 1. Precondition: rows is a multiple of
/// 2 * heads.
std::vector<float> interleaved_rows(std::span<const float> values, std::int64_t heads, std::int64_t columns);

/// All elements of a stored tensor in fp32, rows in Hugging Face's order. Quantised ones are exact.
std::vector<float> exact_values(const TensorView& view);

}  // namespace ladimo
