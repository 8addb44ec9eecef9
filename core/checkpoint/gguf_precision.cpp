#include "checkpoint/gguf_precision.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/format.h"
#include "checkpoint/float_bits.h"

namespace ladimo {
namespace {

constexpr std::size_t block = 32, block_bytes = 34;  // Q8_0: F16 scale, then 32 integers

struct Row {
  GgufPrecision precision;
  const char* name;
  std::uint32_t type;       // ggml_type
  std::uint32_t file_type;  // llama_ftype
};

constexpr Row rows[] = {{GgufPrecision::f32, "F32", 0, 0},
                        {GgufPrecision::f16, "F16", 1, 1},
                        {GgufPrecision::bf16, "BF16", 30, 32},
                        {GgufPrecision::q8_0, "Q8_0", 8, 7}};

const Row& row_of(GgufPrecision precision) { return *std::ranges::find(rows, precision, &Row::precision); }

/// Whether a finite value became none.
bool overflows(std::uint16_t half) { return (half & 0x7c00U) == 0x7c00U; }

/// Returns false where a value is not finite or the scale is too large for F16.
bool round_block(const float* values, std::byte* out) {
  float largest = 0;
  for (std::size_t i = 0; i < block; ++i) {
    if (!std::isfinite(values[i])) return false;
    largest = std::max(largest, std::abs(values[i]));
  }
  const float scale = largest / 127.0F;
  // The reference divides by zero where the scale is so small that 1 / scale is infinite. It is 0 in F16.
  const float inverse = scale != 0 && std::isfinite(1 / scale) ? 1 / scale : 0;
  const std::uint16_t bits = nearest_half(scale);
  if (overflows(bits)) return false;
  std::memcpy(out, &bits, sizeof bits);
  for (std::size_t i = 0; i < block; ++i)
    out[sizeof bits + i] = static_cast<std::byte>(static_cast<std::int8_t>(std::round(values[i] * inverse)));
  return true;
}

std::optional<std::size_t> round_blocks(std::span<const float> values, std::byte* out) {
  for (std::size_t i = 0; i < values.size(); i += block, out += block_bytes)
    if (!round_block(values.data() + i, out)) return i;
  return std::nullopt;
}

}  // namespace

const char* gguf_precision_name(GgufPrecision precision) { return row_of(precision).name; }

std::optional<GgufPrecision> gguf_precision_named(std::string_view name) {
  for (const Row& row : rows)
    if (lower_case(std::string(name)) == lower_case(row.name)) return row.precision;
  return std::nullopt;
}

const GgmlType& ggml_type_of(GgufPrecision precision) { return *find_ggml_type(row_of(precision).type); }

std::uint32_t gguf_file_type(GgufPrecision precision) { return row_of(precision).file_type; }

GgufPrecision gguf_precision_for(std::string_view name, const std::vector<std::int64_t>& shape,
                                 GgufPrecision wanted) {
  const bool router = name.find(".ffn_gate_inp") != std::string_view::npos;
  if (shape.size() == 1 || router) return GgufPrecision::f32;
  const bool whole = shape.back() % static_cast<std::int64_t>(block) == 0;
  return wanted == GgufPrecision::q8_0 && !whole ? GgufPrecision::f16 : wanted;
}

std::optional<std::size_t> round_to(GgufPrecision precision, std::span<const float> values,
                                    std::span<std::byte> out) {
  if (precision == GgufPrecision::q8_0) return round_blocks(values, out.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) return i;
    if (precision == GgufPrecision::f32) continue;
    const std::uint16_t bits =
        precision == GgufPrecision::f16 ? nearest_half(values[i]) : nearest_bfloat(values[i]);
    const float rounded = precision == GgufPrecision::f16 ? half_value(bits) : bfloat_value(bits);
    if (!std::isfinite(rounded)) return i;
    std::memcpy(out.data() + i * sizeof bits, &bits, sizeof bits);
  }
  if (precision == GgufPrecision::f32 && !values.empty())
    std::memcpy(out.data(), values.data(), values.size_bytes());
  return std::nullopt;
}

}  // namespace ladimo
