// Compiled without contraction of products and sums (core/CMakeLists.txt): the reference rounds both.
#include "checkpoint/ggml_type.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "checkpoint/float_bits.h"

namespace ladimo {
namespace {

using Byte = std::uint8_t;

constexpr int small = 32;   // elements of a block of the simple types
constexpr int super = 256;  // elements of a block of the types with scales of their own for 16 or 32 elements

std::uint16_t word_at(const Byte* at) {
  return static_cast<std::uint16_t>(at[0] | static_cast<unsigned>(at[1]) << 8);
}

float half_at(const Byte* at) { return half_value(word_at(at)); }

float as_signed(Byte byte) { return static_cast<float>(static_cast<std::int8_t>(byte)); }

/// Four bits of element `e` of 32: those of the first half lie in the low bits of 16 bytes.
int nibble(const Byte* bytes, int e) { return e < small / 2 ? bytes[e] & 15 : bytes[e - small / 2] >> 4; }

/// Two bits of element `e` of a large block: every 32 bytes hold four runs of 32 elements.
int two_bits(const Byte* bytes, int e) { return bytes[e / 128 * 32 + e % 32] >> e % 128 / 32 * 2 & 3; }

/// Four bits of element `e` of a large block: every `run` bytes hold two runs of as many elements.
int four_bits(const Byte* bytes, int e, int run) {
  return bytes[e / (2 * run) * run + e % run] >> e % (2 * run) / run * 4 & 15;
}

/// One bit of element `e` of a large block: 32 bytes hold eight runs of 32 elements.
int one_bit(const Byte* bytes, int e) { return bytes[e % 32] >> e / 32 & 1; }

void decode_f32(const Byte* block, float* out) { std::memcpy(out, block, sizeof *out); }
void decode_f16(const Byte* block, float* out) { *out = half_at(block); }
void decode_bf16(const Byte* block, float* out) { *out = bfloat_value(word_at(block)); }

void decode_q4_0(const Byte* block, float* out) {
  const float scale = half_at(block);
  for (int e = 0; e < small; ++e) out[e] = scale * static_cast<float>(nibble(block + 2, e) - 8);
}

void decode_q4_1(const Byte* block, float* out) {
  const float scale = half_at(block), least = half_at(block + 2);
  for (int e = 0; e < small; ++e) out[e] = scale * static_cast<float>(nibble(block + 4, e)) + least;
}

/// Five bits of element `e` of 32: four bytes hold the high bits, and 16 after them the others.
int five_bits(const Byte* bytes, int e) { return nibble(bytes + 4, e) | (bytes[e / 8] >> e % 8 & 1) << 4; }

void decode_q5_0(const Byte* block, float* out) {
  const float scale = half_at(block);
  for (int e = 0; e < small; ++e) out[e] = scale * static_cast<float>(five_bits(block + 2, e) - 16);
}

void decode_q5_1(const Byte* block, float* out) {
  const float scale = half_at(block), least = half_at(block + 2);
  for (int e = 0; e < small; ++e) out[e] = scale * static_cast<float>(five_bits(block + 4, e)) + least;
}

void decode_q8_0(const Byte* block, float* out) {
  const float scale = half_at(block);
  for (int e = 0; e < small; ++e) out[e] = as_signed(block[2 + e]) * scale;
}

void decode_q2_k(const Byte* block, float* out) {
  const Byte *scales = block, *quants = block + 16;
  const float scale = half_at(block + 80), offset = half_at(block + 82);
  for (int e = 0; e < super; ++e) {
    const Byte both = scales[e / 16];
    out[e] = scale * static_cast<float>(both & 15) * static_cast<float>(two_bits(quants, e)) -
             offset * static_cast<float>(both >> 4);
  }
}

void decode_q3_k(const Byte* block, float* out) {
  const Byte *high = block, *quants = block + 32, *scales = block + 96;
  const float scale = half_at(block + 108);
  for (int e = 0; e < super; ++e) {
    const int group = e / 16;
    const int low_bits = group < 8 ? scales[group] & 15 : scales[group - 8] >> 4;
    const int high_bits = scales[8 + group % 4] >> group / 4 * 2 & 3;
    const int quant = two_bits(quants, e) - (one_bit(high, e) != 0 ? 0 : 4);
    out[e] = scale * static_cast<float>((low_bits | high_bits << 4) - 32) * static_cast<float>(quant);
  }
}

struct ScaleAndOffset {
  float scale, offset;
};

/// The numbers of 6 bits for one of eight runs of 32 elements, packed into 12 bytes.
ScaleAndOffset packed(const Byte* bytes, int run) {
  const int i = run % 4;
  const int scale = run < 4 ? bytes[i] & 63 : (bytes[8 + i] & 15) | (bytes[i] >> 2 & 48);
  const int offset = run < 4 ? bytes[4 + i] & 63 : bytes[8 + i] >> 4 | (bytes[4 + i] >> 2 & 48);
  return {static_cast<float>(scale), static_cast<float>(offset)};
}

void decode_q4_k(const Byte* block, float* out) {
  const float scale = half_at(block), offset = half_at(block + 2);
  for (int e = 0; e < super; ++e) {
    const auto run = packed(block + 4, e / 32);
    out[e] = scale * run.scale * static_cast<float>(four_bits(block + 16, e, 32)) - offset * run.offset;
  }
}

void decode_q5_k(const Byte* block, float* out) {
  const float scale = half_at(block), offset = half_at(block + 2);
  for (int e = 0; e < super; ++e) {
    const auto run = packed(block + 4, e / 32);
    const int quant = four_bits(block + 48, e, 32) | one_bit(block + 16, e) << 4;
    out[e] = scale * run.scale * static_cast<float>(quant) - offset * run.offset;
  }
}

void decode_q6_k(const Byte* block, float* out) {
  const Byte *low = block, *high = block + 128, *scales = block + 192;
  const float scale = half_at(block + 208);
  for (int e = 0; e < super; ++e) {
    const int quant = (four_bits(low, e, 64) | two_bits(high, e) << 4) - 32;
    out[e] = scale * as_signed(scales[e / 16]) * static_cast<float>(quant);
  }
}

constexpr float iq4_values[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

void decode_iq4_nl(const Byte* block, float* out) {
  const float scale = half_at(block);
  for (int e = 0; e < small; ++e) out[e] = scale * iq4_values[nibble(block + 2, e)];
}

void decode_iq4_xs(const Byte* block, float* out) {
  const float scale = half_at(block);
  const unsigned high = word_at(block + 2);
  for (int run = 0; run < super / small; ++run) {
    const int low_bits = block[4 + run / 2] >> run % 2 * 4 & 15;
    const int high_bits = static_cast<int>(high >> 2 * run & 3);
    const float of_run = scale * static_cast<float>((low_bits | high_bits << 4) - 32);
    for (int e = 0; e < small; ++e)
      out[run * small + e] = of_run * iq4_values[nibble(block + 8 + run * small / 2, e)];
  }
}

// The types of GGML that files may have, also those that are only refused by name.
constexpr GgmlType types[] = {
    {0, "F32", 1, 4, decode_f32},
    {1, "F16", 1, 2, decode_f16},
    {30, "BF16", 1, 2, decode_bf16},
    {2, "Q4_0", small, 18, decode_q4_0},
    {3, "Q4_1", small, 20, decode_q4_1},
    {6, "Q5_0", small, 22, decode_q5_0},
    {7, "Q5_1", small, 24, decode_q5_1},
    {8, "Q8_0", small, 34, decode_q8_0},
    {10, "Q2_K", super, 84, decode_q2_k},
    {11, "Q3_K", super, 110, decode_q3_k},
    {12, "Q4_K", super, 144, decode_q4_k},
    {13, "Q5_K", super, 176, decode_q5_k},
    {14, "Q6_K", super, 210, decode_q6_k},
    {20, "IQ4_NL", small, 18, decode_iq4_nl},
    {23, "IQ4_XS", super, 136, decode_iq4_xs},
    {9, "Q8_1", small, 40, nullptr},
    {15, "Q8_K", super, 292, nullptr},
    {16, "IQ2_XXS", super, 66, nullptr},
    {17, "IQ2_XS", super, 74, nullptr},
    {18, "IQ3_XXS", super, 98, nullptr},
    {19, "IQ1_S", super, 50, nullptr},
    {21, "IQ3_S", super, 110, nullptr},
    {22, "IQ2_S", super, 82, nullptr},
    {24, "I8", 1, 1, nullptr},
    {25, "I16", 1, 2, nullptr},
    {26, "I32", 1, 4, nullptr},
    {27, "I64", 1, 8, nullptr},
    {28, "F64", 1, 8, nullptr},
    {29, "IQ1_M", super, 56, nullptr},
    {34, "TQ1_0", super, 54, nullptr},
    {35, "TQ2_0", super, 66, nullptr},
    {39, "MXFP4", small, 17, nullptr},
};

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t id) {
  const auto* type = std::ranges::find(types, id, &GgmlType::id);
  return type == std::end(types) ? nullptr : type;
}

void dequantise(const GgmlType& type, std::span<const std::byte> blocks, std::span<float> out) {
  const auto* block = reinterpret_cast<const Byte*>(blocks.data());
  for (std::size_t e = 0; e < out.size(); e += type.block_elements, block += type.block_bytes)
    type.decode(block, out.data() + e);
}

}  // namespace ladimo
