#include "checkpoint/weight_values.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#include "checkpoint/float_bits.h"

namespace ladimo {
namespace {

constexpr std::size_t part_elements = 64 * 1024;  // elements that are looked at in one go

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

float value_at(std::span<const std::byte> bytes, DType dtype, std::size_t index) {
  if (dtype == DType::f32) return std::bit_cast<float>(bits_at<std::uint32_t>(bytes, index));
  const auto bits = bits_at<std::uint16_t>(bytes, index);
  return dtype == DType::f16 ? half_value(bits) : bfloat_value(bits);
}

/// Whether `holds(first, count)` is true of every part of a tensor of `elements` elements.
template <class Holds>
bool all_parts(std::size_t elements, Holds holds) {
  for (std::size_t first = 0; first < elements; first += part_elements)
    if (!holds(first, std::min(part_elements, elements - first))) return false;
  return true;
}

}  // namespace

bool is_all_zero(const TensorView& tensor) {
  if (!is_float(tensor.dtype) || tensor.bytes.empty()) return false;
  std::vector<std::byte> buffer;
  return all_parts(tensor.elements(), [&](std::size_t first, std::size_t count) {
    const auto bytes = elements_of(tensor, first, count, buffer);
    return tensor.dtype == DType::f32 ? all_zero<std::uint32_t>(bytes) : all_zero<std::uint16_t>(bytes);
  });
}

bool have_equal_values(const TensorView& a, const TensorView& b) {
  if (a.shape != b.shape || !is_float(a.dtype) || !is_float(b.dtype)) return false;
  std::vector<std::byte> buffer_a, buffer_b;
  return all_parts(a.elements(), [&](std::size_t first, std::size_t count) {
    const auto bytes_a = elements_of(a, first, count, buffer_a),
               bytes_b = elements_of(b, first, count, buffer_b);
    if (a.dtype == b.dtype && std::ranges::equal(bytes_a, bytes_b)) return true;
    for (std::size_t i = 0; i < count; ++i)
      if (value_at(bytes_a, a.dtype, i) != value_at(bytes_b, b.dtype, i)) return false;
    return true;
  });
}

}  // namespace ladimo
