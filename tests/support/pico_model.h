// A tiny but valid LLaMA checkpoint with random seeded weights, built at run time. No torch.
#pragma once

#include <cmath>
#include <numbers>

#include "base/random.h"
#include "support/model_folder.h"

namespace ladimo::testing {

/// Random weights of one tensor: norm weights are near 1, embeddings have about unit variance, and matrices
/// are scaled by 1/sqrt(fan-in). Activations then stay of order one, and the logits are far from uniform.
inline std::vector<std::byte> random_weights(const ExpectedTensor& tensor, DType dtype, Random& random) {
  std::size_t count = 1;
  for (const std::int64_t dim : tensor.shape) count *= static_cast<std::size_t>(dim);
  const bool norm = tensor.name.ends_with("norm.weight");
  const bool matrix = tensor.shape.size() == 2 && tensor.role != Role::embedding;
  const double scale = norm ? 0.1 : matrix ? 1.5 / std::sqrt(static_cast<double>(tensor.shape[1])) : 0.3;
  std::vector<std::byte> bytes(count * dtype_size(dtype));
  for (std::size_t i = 0; i < count; ++i) {
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    const double normal = radius * std::cos(2 * std::numbers::pi * random.uniform());
    store_weight(static_cast<float>((norm ? 1 : 0) + scale * normal), dtype, &bytes[i * dtype_size(dtype)]);
  }
  return bytes;
}

/// Writes a random checkpoint with the demo's tokenizer to `folder`, which is created.
inline void write_pico_model(const std::filesystem::path& folder, const ModelShape& shape = {}) {
  Random random(shape.seed, "pico");
  write_model_folder(
      folder, shape, std::filesystem::path(LADIMO_DEMO) / "tokenizer.model",
      [&](const ExpectedTensor& tensor) { return random_weights(tensor, shape.dtype, random); });
}

/// Replaces a model's tokenizer by one that cuts text in the same way. Its file has one more field.
inline void change_tokenizer(const std::filesystem::path& folder) {
  const auto file = folder / "tokenizer.model";
  write_file(file, read_file(file) + "\xC0\x0C\x01");  // field 200 of the message, which no reader knows
}

}  // namespace ladimo::testing
