// A tiny but valid LLaMA checkpoint with random seeded weights, built at run time. No torch.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <numbers>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/random.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/tensor_names.h"

namespace ladimo::testing {

struct PicoModel {
  std::int64_t hidden = 32;
  std::int64_t layers = 2;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 2;
  std::int64_t intermediate = 48;
  std::int64_t vocab = 4096;  // the demo tokenizer's; fewer rows are refused by the preflight
  std::int64_t positions = 64;
  bool tied_head = true;
  bool attention_bias = false;
  bool mlp_bias = false;
  DType dtype = DType::f32;  // f32, bf16
  std::uint64_t seed = 0;
  nlohmann::json extra = nlohmann::json::object();  // merged into config.json; null removes a key
};

inline nlohmann::json config_json(const PicoModel& pico) {
  nlohmann::json json = {{"architectures", {"LlamaForCausalLM"}},
                         {"model_type", "llama"},
                         {"hidden_size", pico.hidden},
                         {"intermediate_size", pico.intermediate},
                         {"num_hidden_layers", pico.layers},
                         {"num_attention_heads", pico.heads},
                         {"num_key_value_heads", pico.kv_heads},
                         {"vocab_size", pico.vocab},
                         {"max_position_embeddings", pico.positions},
                         {"rms_norm_eps", 1e-5},
                         {"rope_theta", 10000.0},
                         {"hidden_act", "silu"},
                         {"tie_word_embeddings", pico.tied_head},
                         {"attention_bias", pico.attention_bias},
                         {"mlp_bias", pico.mlp_bias},
                         {"bos_token_id", 1},
                         {"eos_token_id", 2},
                         {"torch_dtype", pico.dtype == DType::bf16 ? "bfloat16" : "float32"}};
  json.merge_patch(pico.extra);
  return json;
}

/// Norm weights are near 1, embeddings near unit variance, matrices scaled by 1/sqrt(fan-in): activations
/// stay of order one and the logits are far from uniform.
inline std::vector<float> random_weights(Role role, const std::vector<std::int64_t>& shape, Random& random) {
  std::size_t count = 1;
  for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
  const bool norm = role == Role::attention_norm || role == Role::ffn_norm || role == Role::final_norm;
  const bool matrix = shape.size() == 2 && role != Role::embedding;
  const double scale = norm ? 0.1 : matrix ? 1.5 / std::sqrt(static_cast<double>(shape[1])) : 0.3;
  std::vector<float> weights(count);
  for (float& weight : weights) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double normal = radius * std::cos(2 * std::numbers::pi * random.uniform());
    weight = static_cast<float>((norm ? 1 : 0) + scale * normal);
  }
  return weights;
}

/// The bytes of `values` as F32 or (rounded to nearest) BF16.
inline std::vector<std::byte> to_bytes(const std::vector<float>& values, DType dtype) {
  std::vector<std::byte> bytes(values.size() * dtype_size(dtype));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(values[i]);
    const auto half = static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
    if (dtype == DType::f32) std::memcpy(&bytes[i * 4], &bits, 4);
    if (dtype == DType::bf16) std::memcpy(&bytes[i * 2], &half, 2);
  }
  return bytes;
}

/// Writes config.json, model.safetensors and the demo's tokenizer.model to `folder` (created).
inline void write_pico_model(const std::filesystem::path& folder, const PicoModel& pico = {}) {
  std::filesystem::create_directories(folder);
  const nlohmann::json json = config_json(pico);
  write_json(folder / "config.json", json);
  std::filesystem::copy_file(std::filesystem::path(LADIMO_DEMO) / "tokenizer.model",
                             folder / "tokenizer.model", std::filesystem::copy_options::overwrite_existing);
  std::vector<Problem> problems;
  const auto expected = expected_tensors(parse_config(json, folder / "config.json", problems));
  std::vector<TensorSpec> specs;
  for (const ExpectedTensor& tensor : expected) specs.push_back({tensor.name, pico.dtype, tensor.shape});
  SafetensorsWriter writer(folder / "model.safetensors", specs, {{"format", "pt"}});
  Random random(pico.seed, "pico");
  for (const ExpectedTensor& tensor : expected)
    writer.write(tensor.name, to_bytes(random_weights(tensor.role, tensor.shape, random), pico.dtype));
  writer.finish();
}

}  // namespace ladimo::testing
