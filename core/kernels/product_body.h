// Products of large matrices in tiles of 16 x 16 sums. An fp32 number is split into two bf16 numbers, whose
// sum is exact to 2^-17 of it; of the four products of two such numbers the smallest, of both small parts, is
// left out (Henry, Tang, Heinecke, arXiv 1904.06376).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/matrix_product.h"
#include "kernels/simd.h"

namespace ladimo::body {

constexpr std::int64_t block_rows = 32;  // rows of both matrices that meet in four tiles of sums
constexpr std::int64_t chunk_inputs = 192;
constexpr std::int64_t step_inputs = 32;  // that tiles multiply at a time
// 32 rows and 32 inputs: words of two inputs each.
constexpr std::int64_t step_words = block_rows * step_inputs / 2;
constexpr std::int64_t plane_words = step_words * chunk_inputs / step_inputs;

constexpr std::int64_t line_words = 16;  // of a cache line
constexpr std::int64_t ahead_lines = 8;

using simd::Words;

/// How the words of a step lie: [32 rows, 16 pairs of inputs] or [16 pairs, 32 rows].
enum class Layout { by_row, by_pair };

/// Some rows and inputs of a matrix in parts: bf16 numbers, and what they leave of fp32 numbers.
struct Parts {
  std::uint32_t* high;  // [plane_words]
  std::uint32_t* low;   // [plane_words]
  bool needs_low;       // whether some number is not bf16
};

// As many of 16 numbers as there are, and zeros.
LADIMO_INLINE void load_up_to(const float* from, std::int64_t count, simd::Floats& to) {
  if (count > 0) simd::load_part(from, std::min(count, simd::lanes), to);
}

// The two parts of fp32 numbers.
template <class Tiles>
LADIMO_INLINE void split(simd::Floats value, simd::Halves& high, simd::Halves& low) {
  Tiles::round(value, high);
  const Words words = __builtin_convertvector(high, Words) << 16;
  simd::Floats part;
  std::memcpy(&part, &words, sizeof(part));
  Tiles::round(value - part, low);
}

// Sixteen words of two neighbours each: of (0, 1), (2, 3) ... among 32 numbers.
LADIMO_INLINE void join_neighbours(const simd::Halves& first, const simd::Halves& second, Words& to) {
  std::memcpy(&to, &first, sizeof(first));
  std::memcpy(reinterpret_cast<std::byte*>(&to) + sizeof(first), &second, sizeof(second));
}

// Sixteen words of one number of each.
LADIMO_INLINE void join(const simd::Halves& first, const simd::Halves& second, Words& to) {
  to = __builtin_convertvector(first, Words) | __builtin_convertvector(second, Words) << 16;
}

// The parts of 16 rows and 32 inputs. Places behind the end of the matrix are zero. Sets bits of `any_low`
// where a small part is not zero.
template <class Tiles, Layout layout>
LADIMO_INLINE void lay_out_half_step(const Operand& from, std::int64_t row, std::int64_t input,
                                     std::uint32_t* high, std::uint32_t* low, Words& any_low) {
  constexpr std::uint32_t without_signs = 0x7FFF7FFFu;
  Words highs[simd::lanes], lows[simd::lanes];
  const bool inputs_adjacent = from.input_stride == 1;
  const std::int64_t rows = std::min(from.rows - row, simd::lanes), inputs = from.inputs - input;
  const float* const data = from.data + row * from.row_stride + input * from.input_stride;
  for (std::int64_t i = 0; i < simd::lanes; ++i) {
    simd::Floats first{}, second{};
    simd::Halves high_of[2], low_of[2];
    if (inputs_adjacent && i < rows) {
      load_up_to(data + i * from.row_stride, inputs, first);
      load_up_to(data + i * from.row_stride + simd::lanes, inputs - simd::lanes, second);
    } else if (!inputs_adjacent) {
      if (2 * i < inputs) load_up_to(data + 2 * i * from.input_stride, rows, first);
      if (2 * i + 1 < inputs) load_up_to(data + (2 * i + 1) * from.input_stride, rows, second);
    }
    split<Tiles>(first, high_of[0], low_of[0]);
    split<Tiles>(second, high_of[1], low_of[1]);
    if (inputs_adjacent) {
      join_neighbours(high_of[0], high_of[1], highs[i]);
      join_neighbours(low_of[0], low_of[1], lows[i]);
    } else {
      join(high_of[0], high_of[1], highs[i]);
      join(low_of[0], low_of[1], lows[i]);
    }
    any_low |= lows[i] & without_signs;
  }
  if (inputs_adjacent != (layout == Layout::by_row)) {
    simd::transpose(highs);
    simd::transpose(lows);
  }
  constexpr std::int64_t stride = layout == Layout::by_row ? step_inputs / 2 : block_rows;
  for (std::int64_t i = 0; i < simd::lanes; ++i) {
    std::memcpy(high + i * stride, &highs[i], sizeof(Words));
    std::memcpy(low + i * stride, &lows[i], sizeof(Words));
  }
}

// The parts of 32 rows from `row` on and at most one chunk of inputs from `input` on.
template <class Tiles, Layout layout>
LADIMO_INLINE void lay_out(const Operand& from, std::int64_t row, std::int64_t input, Parts& to) {
  Words any_low{};
  constexpr std::int64_t half = layout == Layout::by_row ? step_words / 2 : block_rows / 2;
  for (std::int64_t i = 0; i < chunk_inputs && input + i < from.inputs; i += step_inputs) {
    const std::int64_t at = i / step_inputs * step_words;
    for (std::int64_t h = 0; h < 2; ++h)
      lay_out_half_step<Tiles, layout>(from, row + h * simd::lanes, input + i, to.high + at + h * half,
                                       to.low + at + h * half, any_low);
  }
  to.needs_low = false;
  for (std::int64_t i = 0; i < simd::lanes; ++i) to.needs_low |= any_low[i] != 0;
}

// sums [32, 32] = what `steps` add, and what was there unless `fresh`. Meanwhile asks for the cache lines
// from `ahead` on, 8 in every step.
template <class Tiles>
LADIMO_INLINE void meet(const Tiles& tiles, const Parts& a, const Parts& b, std::int64_t steps, bool fresh,
                        float* sums, const std::uint32_t* ahead) {
  constexpr std::size_t row_bytes = 64, sums_bytes = block_rows * sizeof(float);
  if (fresh)
    tiles.clear();
  else
    tiles.load(sums, sums_bytes);
  for (std::int64_t s = 0; s < steps; ++s) {
    const std::int64_t at = s * step_words;
#pragma GCC unroll 8
    for (std::int64_t l = 0; l < ahead_lines; ++l)
      __builtin_prefetch(ahead + (s * ahead_lines + l) * line_words, 0, 2);
    tiles.load_weights(b.high + at);
    if (a.needs_low) tiles.multiply(a.low + at, row_bytes);
    tiles.multiply(a.high + at, row_bytes);
    if (!b.needs_low) continue;
    tiles.load_weights(b.low + at);
    tiles.multiply_again();
  }
  tiles.store(sums, sums_bytes);
}

}  // namespace ladimo::body
