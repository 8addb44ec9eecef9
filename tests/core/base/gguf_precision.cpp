#include "checkpoint/gguf_precision.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/float_bits.h"

using namespace ladimo;

namespace {

std::vector<std::byte> rounded(GgufPrecision precision, const std::vector<float>& values) {
  const GgmlType& type = ggml_type_of(precision);
  std::vector<std::byte> bytes(values.size() / type.block_elements * type.block_bytes);
  CHECK_FALSE(round_to(precision, values, bytes));
  return bytes;
}

std::vector<float> read_back(GgufPrecision precision, const std::vector<std::byte>& bytes) {
  const GgmlType& type = ggml_type_of(precision);
  std::vector<float> values(bytes.size() / type.block_bytes * type.block_elements);
  dequantise(type, bytes, values);
  return values;
}

/// The scale and the integers of a block of Q8_0.
std::pair<std::uint16_t, std::vector<int>> block_at(const std::vector<std::byte>& bytes, std::size_t block) {
  std::uint16_t scale = 0;
  std::memcpy(&scale, bytes.data() + block * 34, sizeof scale);
  std::vector<int> integers;
  for (std::size_t i = 0; i < 32; ++i)
    integers.push_back(static_cast<std::int8_t>(bytes[block * 34 + 2 + i]));
  return {scale, integers};
}

}  // namespace

TEST_CASE("precisions have the names and numbers of GGUF") {
  CHECK(std::string(gguf_precision_name(GgufPrecision::q8_0)) == "Q8_0");
  CHECK(gguf_precision_named("bf16") == GgufPrecision::bf16);
  CHECK(gguf_precision_named("Q8_0") == GgufPrecision::q8_0);
  CHECK_FALSE(gguf_precision_named("q4_k_m"));
  CHECK(ggml_type_of(GgufPrecision::bf16).id == 30);
  CHECK(ggml_type_of(GgufPrecision::q8_0).id == 8);
  CHECK(gguf_file_type(GgufPrecision::f32) == 0);
  CHECK(gguf_file_type(GgufPrecision::f16) == 1);
  CHECK(gguf_file_type(GgufPrecision::q8_0) == 7);
  CHECK(gguf_file_type(GgufPrecision::bf16) == 32);
}

TEST_CASE("plain numbers are rounded to the nearest") {
  const std::vector<float> values{1.0F, -2.5F, 65504.0F, 1e-7F, 0.1F};
  CHECK(read_back(GgufPrecision::f32, rounded(GgufPrecision::f32, values)) == values);
  // As gguf-py rounds them.
  const std::vector<std::uint16_t> halves{0x3c00, 0xc100, 0x7bff, 0x0002, 0x2e66},
      bfloats{0x3f80, 0xc020, 0x4780, 0x33d7, 0x3dcd};
  for (const auto& [precision, wanted] :
       {std::pair{GgufPrecision::f16, halves}, {GgufPrecision::bf16, bfloats}}) {
    const auto bytes = rounded(precision, values);
    std::vector<std::uint16_t> bits(values.size());
    std::memcpy(bits.data(), bytes.data(), bytes.size());
    CHECK(bits == wanted);
  }
}

TEST_CASE("Q8_0 by hand: a scale of 1, halves away from zero") {
  std::vector<float> values(64, 0.0F);
  const std::vector<float> some{127.0F, -127.0F, 0.5F, -0.5F, 1.49F, -2.5F, 63.5F, 0.25F};
  std::ranges::copy(some, values.begin());
  const auto bytes = rounded(GgufPrecision::q8_0, values);
  CHECK(bytes.size() == 68);
  const auto [scale, integers] = block_at(bytes, 0);
  CHECK(scale == 0x3c00);
  CHECK(std::vector(integers.begin(), integers.begin() + 9) ==
        std::vector<int>{127, -127, 1, -1, 1, -3, 64, 0, 0});
  CHECK(block_at(bytes, 1) == std::pair(std::uint16_t{0}, std::vector<int>(32, 0)));
}

TEST_CASE("Q8_0 as the reference quantises") {
  std::vector<float> values(64);
  for (int i = 0; i < 64; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<float>(i * 7 % 32 - 11) / 8.0F;
    if (i >= 32) values[static_cast<std::size_t>(i)] *= 0.01F;
  }
  const auto bytes = rounded(GgufPrecision::q8_0, values);
  // gguf.quants.quantize() of gguf-py 0.19.
  const std::vector<int> wanted{-70, -25, 19,  64,  108, -51, -6, 38,  83,  127, -32, 13,  57,  102, -57, -13,
                                32,  76,  121, -38, 6,   51,  95, -64, -19, 25,  70,  114, -44, 0,   44,  89};
  CHECK(block_at(bytes, 0) == std::pair(std::uint16_t{0x250a}, wanted));
  CHECK(block_at(bytes, 1) == std::pair(std::uint16_t{0x0a73}, wanted));
}

TEST_CASE("what Q8_0 holds stays as it is") {
  std::vector<float> values(32 * 30);  // scales from below the normal range of F16 on
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = std::sin(static_cast<float>(i) * 1.7F) * std::pow(2.0F, static_cast<float>(i / 32) - 16);
  const auto once = rounded(GgufPrecision::q8_0, values);
  CHECK(rounded(GgufPrecision::q8_0, read_back(GgufPrecision::q8_0, once)) == once);
}

TEST_CASE("magnitudes at the edge of fp32 and F16") {
  // The scale is too small for F16, and 1 / scale for fp32.
  const auto bytes = rounded(GgufPrecision::q8_0, std::vector<float>(32, 1e-44F));
  CHECK(block_at(bytes, 0) == std::pair(std::uint16_t{0}, std::vector<int>(32, 0)));
  const auto first_bad = [](GgufPrecision precision, float bad) {
    std::vector<float> values(96, 1.0F);
    values[40] = bad;
    const GgmlType& type = ggml_type_of(precision);
    std::vector<std::byte> out(values.size() / type.block_elements * type.block_bytes);
    return round_to(precision, values, out);
  };
  constexpr float infinite = std::numeric_limits<float>::infinity();
  CHECK(first_bad(GgufPrecision::f16, 70000) == 40);
  CHECK_FALSE(first_bad(GgufPrecision::f16, 65519));
  CHECK(first_bad(GgufPrecision::bf16, 3.4e38F) == 40);
  CHECK_FALSE(first_bad(GgufPrecision::bf16, 1e38F));
  CHECK(first_bad(GgufPrecision::q8_0, 1e7F) == 32);
  CHECK_FALSE(first_bad(GgufPrecision::q8_0, 8e6F));
  CHECK(first_bad(GgufPrecision::q8_0, infinite) == 32);
  CHECK(first_bad(GgufPrecision::f32, infinite) == 40);
  CHECK(first_bad(GgufPrecision::f32, std::nanf("")) == 40);
}

TEST_CASE("vectors and routers are F32, and rows that are no whole blocks F16") {
  const auto q8_0 = GgufPrecision::q8_0, f32 = GgufPrecision::f32, f16 = GgufPrecision::f16,
             bf16 = GgufPrecision::bf16;
  CHECK(gguf_precision_for("blk.0.attn_norm.weight", {64}, q8_0) == f32);
  CHECK(gguf_precision_for("blk.0.ffn_gate_inp.weight", {8, 64}, bf16) == f32);
  CHECK(gguf_precision_for("blk.0.ffn_gate_inp_shexp.weight", {1, 64}, q8_0) == f32);
  CHECK(gguf_precision_for("blk.0.ffn_gate.weight", {96, 64}, q8_0) == q8_0);
  CHECK(gguf_precision_for("blk.0.ffn_down_exps.weight", {4, 64, 40}, q8_0) == f16);
  CHECK(gguf_precision_for("blk.0.ffn_down_exps.weight", {4, 64, 40}, bf16) == bf16);
  CHECK(gguf_precision_for("token_embd.weight", {100, 64}, f16) == f16);
}
