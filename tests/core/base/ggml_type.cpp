#include "checkpoint/ggml_type.h"

#include <bit>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/float_bits.h"

using namespace ladimo;

namespace {

/// FNV-1a over the bits of the numbers.
std::uint64_t hash_of(const std::vector<float>& values) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const float value : values)
    for (unsigned byte = 0; byte < 4; ++byte)
      hash = (hash ^ (std::bit_cast<std::uint32_t>(value) >> 8 * byte & 0xffU)) * 0x100000001b3U;
  return hash;
}

}  // namespace

// The hashes are those of what dequantize() of gguf-py 0.19 gives for the same 64 blocks: the high bytes of a
// linear congruential generator (1664525, 1013904223) that starts with the type's number plus 1. In the high
// byte of every fp16 scale one bit of the exponent is cleared, so that no scale is NaN or infinite.
TEST_CASE("every type is dequantised bit for bit as gguf-py does") {
  const struct {
    std::uint32_t id;
    std::vector<std::size_t> high_bytes;
    std::uint64_t hash;
  } cases[] = {
      {0, {3}, 0xfd63aed8efb16780U},        // F32
      {1, {1}, 0x0afb20bbd1734a52U},        // F16
      {30, {1}, 0x07892f9a927980a3U},       // BF16
      {2, {1}, 0xa30c303190f56a2dU},        // Q4_0
      {3, {1, 3}, 0x7f3b2ee52ba3473cU},     // Q4_1
      {6, {1}, 0xc743018d3a50baa6U},        // Q5_0
      {7, {1, 3}, 0x8ea3b585c59daa31U},     // Q5_1
      {8, {1}, 0x45eccdc865f53f9bU},        // Q8_0
      {10, {81, 83}, 0x0bda8db1b688d142U},  // Q2_K
      {11, {109}, 0x7f1bc5c641ed1f89U},     // Q3_K
      {12, {1, 3}, 0x0ed4c95e1ef118daU},    // Q4_K
      {13, {1, 3}, 0xbeb3de52caeeb769U},    // Q5_K
      {14, {209}, 0xa235b44837765cfbU},     // Q6_K
      {20, {1}, 0x47fe70cb3a0025f5U},       // IQ4_NL
      {23, {1}, 0x019e39f47f7552aeU},       // IQ4_XS
  };
  constexpr std::size_t blocks = 64;
  for (const auto& item : cases) {
    const GgmlType* type = find_ggml_type(item.id);
    REQUIRE(type != nullptr);
    CAPTURE(type->name);
    std::uint32_t state = item.id + 1;
    std::vector<std::byte> bytes(blocks * type->block_bytes);
    for (std::byte& byte : bytes) {
      state = state * 1664525U + 1013904223U;
      byte = static_cast<std::byte>(state >> 24);
    }
    for (std::size_t block = 0; block < blocks; ++block)
      for (const std::size_t at : item.high_bytes) bytes[block * type->block_bytes + at] &= std::byte{0xbf};
    std::vector<float> values(blocks * type->block_elements);
    dequantise(*type, bytes, values);
    CHECK(hash_of(values) == item.hash);
  }
}

TEST_CASE("every 16-bit number survives the way to fp32 and back, and fp32 is rounded to the nearest") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto word = static_cast<std::uint16_t>(bits);
    const float half = half_value(word), bfloat = bfloat_value(word);
    CHECK_UNARY(half == static_cast<float>(std::bit_cast<_Float16>(word)) || half != half);
    CHECK_UNARY(half != half ? nearest_half(half) != 0 : nearest_half(half) == word);
    CHECK_UNARY(bfloat != bfloat ? bfloat_value(nearest_bfloat(bfloat)) != 0
                                 : nearest_bfloat(bfloat) == word);
  }
  std::uint32_t state = 1;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 1664525U + 1013904223U;
    const float value = std::bit_cast<float>(state);
    if (value != value) continue;
    CHECK_UNARY(nearest_half(value) == std::bit_cast<std::uint16_t>(static_cast<_Float16>(value)));
  }
  CHECK(nearest_bfloat(std::bit_cast<float>(0x3f808000U)) == 0x3f80);  // ties go to the even one
  CHECK(nearest_bfloat(std::bit_cast<float>(0x3f818000U)) == 0x3f82);
}
