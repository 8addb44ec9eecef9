// Products of many vectors with bf16 rows of a panel, in tiles of 16 x 16 sums.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <c10/util/BFloat16.h>

#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

// Two tiles of vectors meet two tiles of weights in four tiles of sums.
constexpr std::int64_t tile_block = 32;   // vectors, outputs and inputs of one meeting
constexpr std::int64_t tile_depth = 320;  // the most inputs whose weights are laid out at a time

// Weights of `tile_block` outputs: the weights of two inputs lie side by side, as tiles multiply them.
struct TileWeights {
  alignas(64) c10::BFloat16 pairs[tile_depth / 2][tile_block][2];
};

// An fp32 number as the sum of two bf16 numbers, exact to 2^-17 of it. An infinity becomes a NaN.
struct TileVectors {
  alignas(64) c10::BFloat16 high[tile_block][tile_depth], low[tile_block][tile_depth];
};

// Lays out `n` rows for the outputs [column, column + tile_block). Fills up with zeros.
LADIMO_INLINE void pair_rows(const c10::BFloat16* row, std::int64_t stride, std::int64_t n,
                             std::int64_t width, std::int64_t column, TileWeights& to) {
  typedef std::uint32_t Words __attribute__((vector_size(64)));
  const std::int64_t padded = (n + tile_block - 1) / tile_block * tile_block;
  for (std::int64_t i = 0; i < padded; i += 2)
    for (std::int64_t c = 0; c < tile_block; c += simd::lanes) {
      simd::Halves first{}, second{};
      if (column + c < width) {
        if (i < n) std::memcpy(&first, row + i * stride + column + c, sizeof(first));
        if (i + 1 < n) std::memcpy(&second, row + (i + 1) * stride + column + c, sizeof(second));
      }
      const Words words = __builtin_convertvector(first, Words) | __builtin_convertvector(second, Words)
                                                                      << 16;
      std::memcpy(&to.pairs[i / 2][c], &words, sizeof(words));
    }
}

// Splits `n` numbers of each of `count` vectors. Fills up with zeros.
template <class Tiles>
LADIMO_INLINE void split_vectors(const Tiles& tiles, const float* const* x, std::int64_t count,
                                 std::int64_t first, std::int64_t n, TileVectors& to) {
  typedef std::uint32_t Words __attribute__((vector_size(64)));
  const std::int64_t padded = (n + tile_block - 1) / tile_block * tile_block;
  for (std::int64_t t = 0; t < tile_block; ++t)
    for (std::int64_t i = 0; i < padded; i += simd::lanes) {
      simd::Floats value{}, high;
      simd::Halves rounded;
      if (t < count) {
        const float* const from = x[t] + first + i;
        if (i + simd::lanes <= n)
          simd::load(from, value);
        else
          for (std::int64_t l = 0; i + l < n; ++l) value[l] = from[l];
      }
      tiles.round(value, rounded);
      std::memcpy(&to.high[t][i], &rounded, sizeof(rounded));
      const Words words = __builtin_convertvector(rounded, Words) << 16;
      std::memcpy(&high, &words, sizeof(high));
      value -= high;
      tiles.round(value, rounded);
      std::memcpy(&to.low[t][i], &rounded, sizeof(rounded));
    }
}

// y_t [width] += what all rows add, for every vector. Tiles is AmxTiles or does the same otherwise.
template <class Tiles>
LADIMO_INLINE void multiply_tiles(const PanelRows<c10::BFloat16>& rows, const float* const* x,
                                  float* const* y, std::int64_t tokens) {
  constexpr std::int64_t most_columns = (widest_panel + tile_block - 1) / tile_block;
  TileWeights weights[most_columns];
  TileVectors vectors;
  alignas(64) float sums[tile_block][tile_block];
  const Tiles tiles{};
  // Equal parts: a short one costs as much as the others beside its products.
  const std::int64_t parts = (rows.count + tile_depth - 1) / tile_depth;
  const std::int64_t blocks = (rows.count + tile_block * parts - 1) / (tile_block * parts);
  const std::int64_t depth = blocks * tile_block;
  for (std::int64_t first = 0; first < rows.count; first += depth) {
    const std::int64_t n = std::min(depth, rows.count - first);
    for (std::int64_t column = 0; column < rows.width; column += tile_block)
      pair_rows(rows.data + first * rows.stride, rows.stride, n, rows.width, column,
                weights[column / tile_block]);
    for (std::int64_t t = 0; t < tokens; t += tile_block) {
      const std::int64_t count = std::min(tile_block, tokens - t);
      split_vectors(tiles, x + t, count, rows.first + first, n, vectors);
      for (std::int64_t column = 0; column < rows.width; column += tile_block) {
        tiles.clear();
        for (std::int64_t i = 0; i < n; i += tile_block) {
          tiles.load_weights(&weights[column / tile_block].pairs[i / 2]);
          tiles.multiply(&vectors.low[0][i], sizeof(vectors.low[0]));
          tiles.multiply(&vectors.high[0][i], sizeof(vectors.high[0]));
        }
        tiles.store(sums, sizeof(sums[0]));
        const std::int64_t columns = std::min(tile_block, rows.width - column);
        for (std::int64_t v = 0; v < count; ++v) simd::add_row(sums[v], 1.0f, columns, y[t + v] + column);
      }
    }
  }
}

}  // namespace ladimo::body
