// Tensors where they lie in a mapped file, and the one way to read their elements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "checkpoint/ggml_type.h"

namespace ladimo {

/// Element types. `other` is anything this program does not compute with (its name is kept in TensorView).
enum class DType { f32, f16, bf16, i64, i32, u8, other };

/// Bytes per element; 0 for `other`.
std::size_t dtype_size(DType dtype);
/// The safetensors spelling: "F32", "BF16", ...
const char* dtype_name(DType dtype);

/// A tensor in a mapped file. It is valid as long as the TensorStore that it came from. `bytes` are the
/// elements themselves only where `lies_plain()`; read_elements() reads all kinds.
struct TensorView {
  std::string name;
  DType dtype = DType::other;  // of the elements as they are read
  std::string dtype_text;      // as spelled in the file, or the name of `dtype` where it is stored otherwise
  std::vector<std::int64_t> shape;  // row-major
  std::span<const std::byte> bytes;
  std::filesystem::path file;
  const GgmlType* stored =
      nullptr;  // null: as `dtype`; else how the file stores it, rounded to `dtype` when read
  std::int64_t interleaved_heads = 0;  // above 0: the rows of that many heads lie in GGUF's order, in which
                                       // those of a head's first and second half alternate

  bool lies_plain() const { return stored == nullptr && interleaved_heads == 0; }
  /// Precondition: the shape fits the bytes, which the readers of files check.
  std::size_t elements() const;
};

/// The elements [first, first + count) of a tensor as `dtype`: in the file where they lie plain, else a copy
/// in `buffer`. Preconditions: the dtype is not `other`, and the tensor has these elements.
std::span<const std::byte> elements_of(const TensorView& view, std::size_t first, std::size_t count,
                                       std::vector<std::byte>& buffer);

/// Copies elements [first, first + out.size() / dtype_size) as `dtype`. Preconditions as above.
void read_elements(const TensorView& view, std::size_t first, std::span<std::byte> out);

}  // namespace ladimo
