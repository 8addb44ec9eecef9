// LLaMA checkpoints of any shape in the layout of Hugging Face, with weights from the caller. No torch.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/tensor_names.h"

namespace ladimo::testing {

/// The shape of a checkpoint. The default is tiny ("pico"), as most tests want it.
struct ModelShape {
  std::int64_t hidden = 32;
  std::int64_t layers = 2;
  std::int64_t heads = 4;
  std::int64_t kv_heads = 2;
  std::int64_t intermediate = 48;
  std::int64_t vocab = 4096;  // as many pieces as the demo tokenizer has; the preflight refuses fewer
  std::int64_t positions = 64;
  bool tied_head = true;
  bool attention_bias = false;
  bool mlp_bias = false;
  DType dtype = DType::f32;  // f32, f16, bf16
  std::uint64_t seed = 0;
  nlohmann::json extra = nlohmann::json::object();  // merged into config.json; null removes a key
};

inline nlohmann::json config_json(const ModelShape& shape) {
  nlohmann::json json = {{"architectures", {"LlamaForCausalLM"}},
                         {"model_type", "llama"},
                         {"hidden_size", shape.hidden},
                         {"intermediate_size", shape.intermediate},
                         {"num_hidden_layers", shape.layers},
                         {"num_attention_heads", shape.heads},
                         {"num_key_value_heads", shape.kv_heads},
                         {"vocab_size", shape.vocab},
                         {"max_position_embeddings", shape.positions},
                         {"rms_norm_eps", 1e-5},
                         {"rope_theta", 10000.0},
                         {"hidden_act", "silu"},
                         {"tie_word_embeddings", shape.tied_head},
                         {"attention_bias", shape.attention_bias},
                         {"mlp_bias", shape.mlp_bias},
                         {"bos_token_id", 1},
                         {"eos_token_id", 2},
                         {"torch_dtype", shape.dtype == DType::f32   ? "float32"
                                         : shape.dtype == DType::f16 ? "float16"
                                                                     : "bfloat16"}};
  json.merge_patch(shape.extra);
  return json;
}

/// Writes `value` to `at` as F32, or rounded to the nearest F16 or BF16.
inline void store_weight(float value, DType dtype, std::byte* at) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto bfloat = static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
  const auto half = static_cast<_Float16>(value);
  if (dtype == DType::f32) std::memcpy(at, &bits, 4);
  if (dtype == DType::f16) std::memcpy(at, &half, 2);
  if (dtype == DType::bf16) std::memcpy(at, &bfloat, 2);
}

/// Writes config.json, the weights and the file `tokenizer` as tokenizer.model to `folder`, which is created.
/// `bytes_of` is called for one tensor at a time, in file order, and returns it in the dtype of `shape`.
inline void write_model_folder(const std::filesystem::path& folder, const ModelShape& shape,
                               const std::filesystem::path& tokenizer,
                               const std::function<std::vector<std::byte>(const ExpectedTensor&)>& bytes_of) {
  constexpr std::uint64_t shard_bytes = 5'000'000'000;
  std::filesystem::create_directories(folder);
  const nlohmann::json json = config_json(shape);
  write_json(folder / "config.json", json);
  write_file(folder / "tokenizer.model", read_file(tokenizer));
  std::vector<Problem> problems;
  const auto expected = expected_tensors(parse_config(json, folder / "config.json", problems));
  std::vector<TensorSpec> specs;
  std::map<std::string, const ExpectedTensor*> by_name;
  for (const ExpectedTensor& tensor : expected) {
    specs.push_back({tensor.name, shape.dtype, tensor.shape});
    by_name[tensor.name] = &tensor;
  }
  write_sharded(folder, specs, shard_bytes,
                [&](const TensorSpec& spec) { return bytes_of(*by_name.at(spec.name)); }, {{"format", "pt"}});
}

}  // namespace ladimo::testing
