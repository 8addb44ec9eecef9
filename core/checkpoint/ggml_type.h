// The element types of GGUF files: plain numbers, and blocks of quantised ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ladimo {

struct GgmlType {
  std::uint32_t id;            // in the file
  const char* name;            // "Q4_1"
  std::size_t block_elements;  // 1 for plain numbers
  std::size_t block_bytes;
  /// Turns one block into `block_elements` numbers; null for a type that this program does not read.
  void (*decode)(const std::uint8_t* block, float* out);
};

/// The type with this id. Null where there is none.
const GgmlType* find_ggml_type(std::uint32_t id);

/// The numbers of whole blocks, bit for bit as the reference computes them (dequantize of gguf-py).
/// Preconditions: the type is read here; `blocks` holds whole blocks, and `out` has room for exactly their
/// elements.
void dequantise(const GgmlType& type, std::span<const std::byte> blocks, std::span<float> out);

}  // namespace ladimo
