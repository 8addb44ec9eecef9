// Attention of many queries over the keys and values of one head, in tiles of 16 x 16 sums.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include <c10/util/BFloat16.h>

#include "kernels/distribution_body.h"
#include "kernels/kernel_table.h"
#include "kernels/simd.h"
#include "kernels/tile_body.h"

namespace ladimo::body {

constexpr std::int64_t strip_keys = tile_columns * tile_width;

/// How keys, values and the scores of 32 queries lie, and how much room they take.
struct AttentionShape {
  std::int64_t key_strips, query_steps, key_steps;
  std::int64_t value_strips, value_columns;  // and tiles of outputs in each
  std::int64_t score_stride;                 // floats, an odd number of cache lines

  constexpr AttentionShape(std::int64_t n, std::int64_t head_dim)
      : key_strips(parts_of(n, strip_keys)),
        query_steps(tiles_of(head_dim)),
        key_steps(tiles_of(n)),
        value_strips(parts_of(head_dim, strip_keys)),
        value_columns(parts_of(parts_of(head_dim, tile_width), value_strips)),
        score_stride(parts_of(key_strips * strip_keys, 2 * simd::lanes) * 2 * simd::lanes + simd::lanes) {}

  constexpr std::size_t bytes() const {
    const std::int64_t weights = key_strips * query_steps + value_strips * key_steps;
    return static_cast<std::size_t>(weights) * sizeof(WeightTiles) +
           static_cast<std::size_t>(query_steps + key_steps) * sizeof(VectorTile) +
           static_cast<std::size_t>(tile_size * score_stride) * sizeof(float);
  }
};

/// What attend_tiles() needs for itself.
struct AttentionTiles : AttentionShape {
  WeightTiles* keys;    // [key_strips, query_steps]
  WeightTiles* values;  // [value_strips, key_steps]
  VectorTile* queries;  // [query_steps]
  VectorTile* shares;   // [key_steps]
  float* scores;        // [32, score_stride]

  LADIMO_INLINE AttentionTiles(std::int64_t n, std::int64_t head_dim, std::byte* room)
      : AttentionShape(n, head_dim),
        keys(reinterpret_cast<WeightTiles*>(room)),
        values(keys + key_strips * query_steps),
        queries(reinterpret_cast<VectorTile*>(values + value_strips * key_steps)),
        shares(queries + query_steps),
        scores(reinterpret_cast<float*>(shares + key_steps)) {}
};

// Lays out up to 48 keys for inputs [32 step, 32 step + 32) of their products with queries. Fills up with
// zeros.
LADIMO_INLINE void pair_keys(const HeadCache<c10::BFloat16>& cache, std::int64_t first, std::int64_t step,
                             WeightTiles& to) {
  const std::int64_t begin = step * tile_size, dims = cache.head_dim - begin;
  for (std::int64_t column = 0; column < tile_columns; ++column) {
    simd::Words words[simd::lanes];
    for (std::int64_t c = 0; c < tile_width; ++c) {
      const std::int64_t key = first + column * tile_width + c;
      simd::Halves low{}, high{};
      if (key < cache.n) {
        const c10::BFloat16* const from = cache.keys + key * cache.key_stride + begin;
        std::memcpy(&low, from, sizeof(low));
        if (dims > tile_width) std::memcpy(&high, from + tile_width, sizeof(high));
      }
      words[c] = __builtin_convertvector(low, simd::Words) | __builtin_convertvector(high, simd::Words) << 16;
    }
    simd::transpose(words);
    std::memcpy(to.pairs[column], words, sizeof(words));
  }
}

// Turns the scores of a query into its shares of the keys in [0, stop), of which it sees [begin, end).
LADIMO_INLINE void share_keys(float* scores, std::int64_t begin, std::int64_t end, std::int64_t stop) {
  // Whole registers, because the functions for single numbers are slow.
  const std::int64_t from = begin / simd::lanes * simd::lanes;
  const std::int64_t to = parts_of(end, simd::lanes) * simd::lanes;
  std::fill(scores + from, scores + begin, -std::numeric_limits<float>::infinity());
  std::fill(scores + end, scores + to, -std::numeric_limits<float>::infinity());
  double log_normaliser;
  softmax(scores + from, to - from, scores + from, &log_normaliser);
  std::fill(scores, scores + begin, 0.0f);
  std::fill(scores + end, scores + stop, 0.0f);
}

// TileKernels::attend.
template <class Tiles>
LADIMO_INLINE void attend_tiles(const HeadCache<c10::BFloat16>& cache, const QueryBlock& queries,
                                std::byte* room) {
  const AttentionTiles to(cache.n, cache.head_dim, room);
  const Tiles tiles{};
  for (std::int64_t strip = 0; strip < to.key_strips; ++strip)
    for (std::int64_t s = 0; s < to.query_steps; ++s)
      pair_keys(cache, strip * strip_keys, s, to.keys[strip * to.query_steps + s]);
  const std::int64_t value_width = to.value_columns * tile_width;
  for (std::int64_t strip = 0; strip < to.value_strips; ++strip) {
    const std::int64_t column = strip * value_width;
    pair_rows(cache.values + column, cache.value_stride, cache.n,
              std::min(to.value_columns, parts_of(cache.head_dim - column, tile_width)),
              to.values + strip * to.key_steps);
  }
  alignas(64) float sums[tile_size][strip_keys];
  for (std::int64_t r = 0; r < queries.rows; r += tile_size) {
    const std::int64_t rows = std::min(tile_size, queries.rows - r);
    const std::int64_t begin = *std::min_element(queries.begin + r, queries.begin + r + rows);
    const std::int64_t end = *std::max_element(queries.end + r, queries.end + r + rows);
    for (std::int64_t v = 0; v < rows; ++v) split_vector(queries.q[r + v], cache.head_dim, v, to.queries);
    for (std::int64_t strip = begin / strip_keys; strip * strip_keys < end; ++strip) {
      tiles.clear();
      for (std::int64_t s = 0; s < to.query_steps; ++s)
        tiles.template multiply<tile_columns>(to.queries[s].high, to.queries[s].low,
                                              to.keys[strip * to.query_steps + s].pairs);
      tiles.store(to.scores + strip * strip_keys, to.score_stride);
    }
    const std::int64_t first_step = begin / tile_size, stop_step = tiles_of(end);
    for (std::int64_t v = 0; v < rows; ++v) {
      float* const scores = to.scores + v * to.score_stride;
      share_keys(scores, queries.begin[r + v], queries.end[r + v], stop_step * tile_size);
      split_vector(scores + first_step * tile_size, (stop_step - first_step) * tile_size, v,
                   to.shares + first_step);
    }
    for (std::int64_t strip = 0; strip < to.value_strips; ++strip) {
      tiles.clear();
      with_columns(
          to.value_columns, [&]<int n>(std::integral_constant<int, n>) __attribute__((always_inline)) {
            for (std::int64_t s = first_step; s < stop_step; ++s)
              tiles.template multiply<n>(to.shares[s].high, to.shares[s].low,
                                         to.values[strip * to.key_steps + s].pairs);
          });
      tiles.store(sums[0], strip_keys);
      const std::int64_t column = strip * value_width, width = std::min(value_width, cache.head_dim - column);
      for (std::int64_t v = 0; v < rows; ++v) simd::copy_row(sums[v], width, queries.y[r + v] + column);
    }
  }
}

}  // namespace ladimo::body
