#include "checkpoint/weight_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace ladimo {
namespace {

template <class Bits>
Bits bits_at(std::span<const std::byte> bytes, std::size_t index) {
  Bits bits;
  std::memcpy(&bits, bytes.data() + index * sizeof bits, sizeof bits);
  return bits;
}

bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16; }

// The sign does not matter: -0 is zero.
template <class Bits>
bool all_zero(std::span<const std::byte> bytes) {
  constexpr auto magnitude = static_cast<Bits>(static_cast<Bits>(~Bits{0}) >> 1);
  for (std::size_t i = 0; i < bytes.size() / sizeof(Bits); ++i)
    if ((bits_at<Bits>(bytes, i) & magnitude) != 0) return false;
  return true;
}

float half_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const float magnitude = exponent == 0    ? std::ldexp(static_cast<float>(fraction), -24)
                          : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                           : std::ldexp(static_cast<float>(fraction + 1024), exponent - 25);
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

float value_at(const TensorView& tensor, std::size_t index) {
  if (tensor.dtype == DType::f32) return std::bit_cast<float>(bits_at<std::uint32_t>(tensor.bytes, index));
  const auto bits = bits_at<std::uint16_t>(tensor.bytes, index);
  return tensor.dtype == DType::f16 ? half_value(bits)
                                    : std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

}  // namespace

bool is_all_zero(const TensorView& tensor) {
  if (!is_float(tensor.dtype) || tensor.bytes.empty()) return false;
  return tensor.dtype == DType::f32 ? all_zero<std::uint32_t>(tensor.bytes)
                                    : all_zero<std::uint16_t>(tensor.bytes);
}

bool have_equal_values(const TensorView& a, const TensorView& b) {
  if (a.shape != b.shape || !is_float(a.dtype) || !is_float(b.dtype)) return false;
  if (a.dtype == b.dtype && std::ranges::equal(a.bytes, b.bytes)) return true;
  for (std::size_t i = 0; i < a.bytes.size() / dtype_size(a.dtype); ++i)
    if (value_at(a, i) != value_at(b, i)) return false;
  return true;
}

}  // namespace ladimo
