// Writes a dense model as a GGUF file, as the export writes what lies outside the experts.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "base/error.h"
#include "checkpoint/gguf_arch.h"

namespace ladimo::testing {

inline constexpr std::uint64_t one_file = std::uint64_t{1} << 50;

/// Writes the tensors and keys of a dense checkpoint in the architecture that it has in GGUF. `add_tokenizer`
/// adds the keys of the tokenizer. Throws Refusal for a model that has no place there.
inline std::vector<std::filesystem::path> write_dense_gguf(
    const Checkpoint& checkpoint, const std::filesystem::path& path, GgufPrecision precision,
    std::uint64_t max_file_bytes, const std::function<void(GgufKeys&)>& add_tokenizer) {
  const ModelConfig& config = checkpoint.config();
  const GgufArch* arch = dense_gguf_arch(config);
  if (arch == nullptr) throw Refusal("The family has no architecture in GGUF.", "Choose another model.");
  if (auto problems = gguf_arch_problems(config, *arch, true); !problems.empty())
    throw Refusal(std::move(problems));
  GgufKeys keys;
  add_gguf_general_keys(keys, checkpoint, *arch, precision);
  add_gguf_attention_keys(keys, config, *arch);
  keys.u32(std::string(arch->name) + ".feed_forward_length",
           static_cast<std::uint32_t>(config.intermediate_size));
  add_tokenizer(keys);
  auto tensors = gguf_first_tensors(checkpoint, precision);
  const auto add = [&](const std::vector<GgufTensor>& more) {
    tensors.insert(tensors.end(), more.begin(), more.end());
  };
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    add(gguf_attention_tensors(checkpoint, layer, *arch, precision));
    add(gguf_dense_ffn_tensors(checkpoint, layer, precision));
  }
  add(gguf_last_tensors(checkpoint, *arch, precision));
  return write_gguf(path, keys, tensors, max_file_bytes, [](const GgufTensorSpec&) {});
}

}  // namespace ladimo::testing
