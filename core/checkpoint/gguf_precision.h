// The number types in which GGUF files are written, and how values are rounded to them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/ggml_type.h"

namespace ladimo {

enum class GgufPrecision { f32, f16, bf16, q8_0 };

/// The name in the file's format: "F32", "F16", "BF16", "Q8_0".
const char* gguf_precision_name(GgufPrecision precision);
/// The precision of a name, in any case: "q8_0". Absent where there is none.
std::optional<GgufPrecision> gguf_precision_named(std::string_view name);
const GgmlType& ggml_type_of(GgufPrecision precision);
/// general.file_type of a file whose matrices are mostly of this type.
std::uint32_t gguf_file_type(GgufPrecision precision);

/// The precision of a tensor in a file whose matrices are `wanted`, as llama.cpp's converter decides:
/// - F32 for tensors of one dimension (norms, biases) and for routers (ffn_gate_inp, ffn_gate_inp_shexp).
/// - F16 instead of Q8_0 where rows are no whole blocks of 32.
/// `shape` is row-major.
GgufPrecision gguf_precision_for(std::string_view name, const std::vector<std::int64_t>& shape,
                                 GgufPrecision wanted);

/// Rounds values to the bytes that a file holds:
/// - F16 and BF16: to the nearest, ties to even.
/// - Q8_0: as ggml's reference. Each 32 values share d = (largest magnitude) / 127, computed in fp32 and
///   stored as F16; each value is x * (1 / d) rounded to the nearest, halves away from zero. Values that were
///   read from Q8_0 give the same bytes again.
/// Preconditions: `out` has room for exactly the bytes; with Q8_0 the values are whole blocks of 32. Returns
/// the index of the first value that the precision cannot hold (infinite, NaN, or beyond the range of F16,
/// with Q8_0 that of its block's scale), where `out` then is not complete. Absent when all could be held.
std::optional<std::size_t> round_to(GgufPrecision precision, std::span<const float> values,
                                    std::span<std::byte> out);

}  // namespace ladimo
