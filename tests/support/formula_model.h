// Checkpoints whose weights follow from the names of their tensors, by a formula that Python computes too
// (tests/interop/families.py). So a test can compare logits with those of Hugging Face transformers without
// storing weights.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "checkpoint/safetensors.h"

namespace ladimo::testing {

/// A number in [-1, 1) for element `i` of a tensor: FNV-1a of the name, then the finaliser of MurmurHash3.
inline double formula_noise(std::string_view name, std::uint32_t i) {
  std::uint32_t h = 2166136261U;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 16777619U;
  h += i * 0x9E3779B9U;
  h = (h ^ (h >> 16)) * 0x85EBCA6BU;
  h = (h ^ (h >> 13)) * 0xC2B2AE35U;
  h ^= h >> 16;
  return static_cast<double>(h >> 8) / (1 << 23) - 1;
}

/// The fp32 bytes of a tensor. Activations stay of order one, and every bias and norm matters.
inline std::vector<std::byte> formula_weights(const TensorSpec& spec) {
  const bool norm = spec.name.ends_with("norm.weight");
  const bool matrix = spec.shape.size() == 2 && !spec.name.ends_with("embed_tokens.weight");
  const double scale = norm ? 0.2 : matrix ? 2.5 / std::sqrt(static_cast<double>(spec.shape[1])) : 0.6;
  std::vector<std::byte> bytes(spec.bytes());
  for (std::uint32_t i = 0; i < bytes.size() / 4; ++i) {
    const auto value = static_cast<float>((norm ? 1 : 0) + scale * formula_noise(spec.name, i));
    std::memcpy(&bytes[i * std::size_t{4}], &value, 4);
  }
  return bytes;
}

/// Writes config.json and the weights. `tensors` is a list of [name, shape], as the file of a family holds
/// them.
inline void write_formula_model(const std::filesystem::path& folder, const nlohmann::json& config,
                                const nlohmann::json& tensors) {
  std::filesystem::create_directories(folder);
  write_json(folder / "config.json", config);
  std::vector<TensorSpec> specs;
  for (const nlohmann::json& tensor : tensors)
    specs.push_back({tensor[0].get<std::string>(), DType::f32, tensor[1].get<std::vector<std::int64_t>>()});
  SafetensorsWriter writer(folder / "model.safetensors", specs);
  for (const TensorSpec& spec : specs) writer.write(spec.name, formula_weights(spec));
  writer.finish();
}

}  // namespace ladimo::testing
