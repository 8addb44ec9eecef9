// Products of many split vectors with bf16 rows of a panel, in tiles of 16 x 16 sums.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include <c10/util/BFloat16.h>

#include "kernels/kernel_table.h"
#include "kernels/panel_body.h"
#include "kernels/simd.h"

namespace ladimo::body {

constexpr std::int64_t tile_width = 16;   // outputs of one tile
constexpr std::int64_t tile_columns = 3;  // tiles of outputs that meet 32 vectors
constexpr std::int64_t most_strips = widest_panel / (tile_width * tile_columns);
constexpr std::int64_t tile_steps = 24;  // of 32 inputs, whose weights are laid out at a time
constexpr std::int64_t copies_ahead = 2, copies_kept = 4;

// Weights of 32 inputs, in pairs as VectorTile has them.
struct WeightTiles {
  alignas(64) std::uint32_t pairs[tile_columns][tile_size / 2][tile_width];
};

// Calls `f` with a number of columns that the compiler knows.
template <class F>
LADIMO_INLINE void with_columns(std::int64_t columns, F&& f) {
  if (columns == 3)
    f(std::integral_constant<int, 3>());
  else if (columns == 2)
    f(std::integral_constant<int, 2>());
  else
    f(std::integral_constant<int, 1>());
}

// Lays out `n` rows for 16 `columns` outputs. Fills up with zeros.
LADIMO_INLINE void pair_rows(const c10::BFloat16* row, std::int64_t stride, std::int64_t n,
                             std::int64_t columns, WeightTiles* to) {
  constexpr std::int64_t half = tile_size / 2;
  for (std::int64_t step = 0; step < n; step += tile_size, ++to)
    for (std::int64_t i = 0; i < half; ++i)
      for (std::int64_t c = 0; c < columns; ++c) {
        simd::Halves first{}, second{};
        const c10::BFloat16* const from = row + (step + i) * stride + c * tile_width;
        if (step + i < n) std::memcpy(&first, from, sizeof(first));
        if (step + i + half < n) std::memcpy(&second, from + half * stride, sizeof(second));
        const simd::Words words =
            __builtin_convertvector(first, simd::Words) | __builtin_convertvector(second, simd::Words) << 16;
        std::memcpy(&to->pairs[c][i], &words, sizeof(words));
      }
}

// Splits up to 32 inputs of a vector. Fills up with zeros.
LADIMO_INLINE void split_inputs(const float* x, std::int64_t n, std::uint32_t* high, std::uint32_t* low) {
  constexpr std::uint32_t upper = 0xFFFF0000u, half_unit = 0x8000u;  // rounds to the nearest
  const simd::Words not_a_number = simd::Words{} + 0x7FC00000u;
  simd::Floats value[2] = {}, part;
  simd::Words highs[2], lows[2];
#pragma GCC unroll 2
  for (std::int64_t h = 0; h < 2; ++h) {
    const std::int64_t count = std::min(n - h * simd::lanes, simd::lanes);
    if (count > 0) simd::load_part(x + h * simd::lanes, count, value[h]);
    std::memcpy(&highs[h], &value[h], sizeof(simd::Words));
    highs[h] += half_unit;
    const simd::Words rounded = highs[h] & upper;
    std::memcpy(&part, &rounded, sizeof(part));
    part = value[h] - part;
    std::memcpy(&lows[h], &part, sizeof(simd::Words));
    lows[h] = part == part ? lows[h] + half_unit : not_a_number;  // the sum may turn a NaN into a zero
  }
  const simd::Words high_words = (highs[0] >> 16) | (highs[1] & upper);
  const simd::Words low_words = (lows[0] >> 16) | (lows[1] & upper);
  std::memcpy(high, &high_words, sizeof(simd::Words));
  std::memcpy(low, &low_words, sizeof(simd::Words));
}

LADIMO_INLINE void split_vector(const float* x, std::int64_t n, std::int64_t row, VectorTile* to) {
  for (std::int64_t i = 0; i < n; i += tile_size, ++to)
    split_inputs(x + i, n - i, to->high[row], to->low[row]);
}

// Where the first tile of each of 32 tokens has its vector. Behind the last token it is repeated.
struct VectorPlaces {
  const std::byte* high[tile_size];

  LADIMO_INLINE void find(const VectorTile* x, std::int64_t steps, const std::int32_t* tokens,
                          std::int64_t count) {
    for (std::int64_t v = 0; v < tile_size; ++v) {
      const auto token = static_cast<std::uint32_t>(tokens[std::min(v, count - 1)]);
      const VectorTile& tile = x[token / tile_size * steps];
      high[v] = reinterpret_cast<const std::byte*>(tile.high[token % tile_size]);
    }
  }
  LADIMO_INLINE void copy(std::int64_t step, VectorTile& tile) const {
    constexpr std::size_t row_bytes = sizeof(tile.high[0]), low = offsetof(VectorTile, low);
    const std::size_t at = static_cast<std::size_t>(step) * sizeof(VectorTile);
    for (std::int64_t v = 0; v < tile_size; ++v) {
      std::memcpy(tile.high[v], high[v] + at, row_bytes);
      std::memcpy(tile.low[v], high[v] + at + low, row_bytes);
    }
  }
};

// Whether so many tokens are a group of VectorTiles from its beginning on.
LADIMO_INLINE bool is_group(const std::int32_t* tokens, std::int64_t count) {
  return tokens[0] % tile_size == 0 && tokens[count - 1] - tokens[0] == count - 1;
}

// The sums of 32 vectors and at most 48 outputs, which are still to be written to y.
struct TileSums {
  alignas(64) float sums[tile_size][tile_columns * tile_width];
  float* const* y;
  std::int64_t column, width, vectors = 0;
  bool fresh;  // y has no sums yet

  // Writes part `index` of `parts`.
  LADIMO_INLINE void write(std::int64_t index, std::int64_t parts) const {
    for (std::int64_t v = vectors * index / parts; v < vectors * (index + 1) / parts; ++v)
      if (fresh)
        simd::copy_row(sums[v], width, y[v] + column);
      else
        simd::add_row(sums[v], 1.0f, width, y[v] + column);
  }
};

// Memory that is asked for in small portions, while tiles multiply.
struct Asking {
  const std::byte* next;
  std::int64_t lines;  // of a portion

  LADIMO_INLINE void go_on() {
    for (std::int64_t l = 0; l < lines; ++l, next += line_bytes) __builtin_prefetch(next, 0, 2);
  }
};

// Computes the sums of 32 tokens and 16 `columns` outputs. Meanwhile writes other sums, and copies vectors
// that do not lie together a few steps before they are needed.
template <class Tiles, int columns>
LADIMO_INLINE void multiply_strip(const Tiles& tiles, const VectorTile* x, std::int64_t steps,
                                  const std::int32_t* tokens, std::int64_t count, const WeightTiles* weights,
                                  std::int64_t used, const TileSums& before, Asking& asking, float* sums) {
  tiles.clear();
  if (is_group(tokens, count)) {
    const VectorTile* const group = x + tokens[0] / tile_size * steps;
    for (std::int64_t s = 0; s < used; ++s) {
      tiles.template multiply<columns>(group[s].high, group[s].low, weights[s].pairs);
      before.write(s, used);
      asking.go_on();
    }
  } else {
    VectorPlaces places;
    VectorTile copies[copies_kept];
    places.find(x, steps, tokens, count);
    for (std::int64_t s = 0; s < std::min(copies_ahead, used); ++s) places.copy(s, copies[s]);
    for (std::int64_t s = 0; s < used; ++s) {
      if (s + copies_ahead < used) places.copy(s + copies_ahead, copies[(s + copies_ahead) % copies_kept]);
      const VectorTile& tile = copies[s % copies_kept];
      tiles.template multiply<columns>(tile.high, tile.low, weights[s].pairs);
      before.write(s, used);
      asking.go_on();
    }
  }
  tiles.store(sums, tile_columns * tile_width);
}

// TileKernels::multiply. Tiles is AmxWideTiles or does the same otherwise.
template <class Tiles>
LADIMO_INLINE void multiply_tiles(const PanelRows<c10::BFloat16>& rows, const VectorTile* x,
                                  const std::int32_t* tokens, float* const* y, std::int64_t count) {
  WeightTiles weights[most_strips][tile_steps];
  TileSums sums[2];
  TileSums *now = sums, *before = sums + 1;
  const Tiles tiles{};
  const std::int64_t columns = parts_of(rows.width, tile_width);
  const std::int64_t strips = parts_of(columns, tile_columns);
  const std::int64_t steps = tiles_of(rows.count);
  // Equal parts: a short one costs as much as the others beside its products.
  const std::int64_t parts = parts_of(steps, tile_steps), part = parts_of(steps, parts);
  const std::int64_t portions = tiles_of(count) * strips * steps;
  const std::int64_t next_lines =
      rows.count * rows.stride * static_cast<std::int64_t>(sizeof(c10::BFloat16)) / line_bytes;
  Asking asking{reinterpret_cast<const std::byte*>(rows.next), parts_of(next_lines, portions)};
  for (std::int64_t first = 0; first < steps; first += part) {
    const std::int64_t used = std::min(part, steps - first), input = first * tile_size;
    for (std::int64_t p = 0; p < strips; ++p)
      pair_rows(rows.data + input * rows.stride + columns * p / strips * tile_width, rows.stride,
                std::min(used * tile_size, rows.count - input),
                columns * (p + 1) / strips - columns * p / strips, weights[p]);
    for (std::int64_t t = 0; t < count; t += tile_size)
      for (std::int64_t p = 0; p < strips; ++p) {
        const std::int64_t begin = columns * p / strips, wide = columns * (p + 1) / strips - begin;
        now->y = y + t;
        now->column = begin * tile_width;
        now->width = std::min(wide * tile_width, rows.width - now->column);
        now->vectors = std::min(tile_size, count - t);
        now->fresh = first == 0;
        with_columns(
            wide, [&]<int n>(std::integral_constant<int, n>) __attribute__((always_inline)) {
              multiply_strip<Tiles, n>(tiles, x + first, steps, tokens + t, now->vectors, weights[p], used,
                                       *before, asking, now->sums[0]);
            });
        std::swap(now, before);
      }
  }
  before->write(0, 1);
}

}  // namespace ladimo::body
