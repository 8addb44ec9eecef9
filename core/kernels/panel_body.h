// Products of few or many vectors with rows of a panel (kernels/panels.h).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/elementwise_body.h"
#include "kernels/kernel_table.h"
#include "kernels/q8_0.h"
#include "kernels/simd.h"

namespace ladimo::body {

// How far ahead weights are asked for: the hardware's own prefetchers stop at the end of every page.
constexpr std::ptrdiff_t prefetch_bytes = 4096;
constexpr std::int64_t line_bytes = 64;

// The sums of `together` vectors, with the width of a panel in `vectors` registers, the last of which uses
// `last` lanes.
template <int vectors, int together>
LADIMO_INLINE void load_sums(float* const* y, std::int64_t last, simd::Floats (&sum)[together][vectors]) {
#pragma GCC unroll 8
  for (int t = 0; t < together; ++t)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      simd::load_part(y[t] + v * simd::lanes, v + 1 < vectors ? simd::lanes : last, sum[t][v]);
}

template <int vectors, int together>
LADIMO_INLINE void store_sums(const simd::Floats (&sum)[together][vectors], std::int64_t last,
                              float* const* y) {
#pragma GCC unroll 8
  for (int t = 0; t < together; ++t)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      simd::store_part(sum[t][v], v + 1 < vectors ? simd::lanes : last, y[t] + v * simd::lanes);
}

// Asks for the bytes that are read `prefetch_bytes` after those at `from`. What lies behind `end` is read
// from `next` on.
LADIMO_INLINE void ask_ahead(const void* from, std::int64_t bytes, const void* end, const void* next) {
  const char* ahead = static_cast<const char*>(from) + prefetch_bytes;
  if (ahead >= end) ahead = static_cast<const char*>(next) + (ahead - static_cast<const char*>(end));
  for (std::int64_t b = 0; b < bytes; b += line_bytes) __builtin_prefetch(ahead + b, 0, 2);
}

// Adds for `together` vectors. The order of every sum is that of the rows, so a vector's result does not
// depend on those beside it.
template <int vectors, int together, class T>
LADIMO_INLINE void add_products(const PanelRows<T>& rows, const float* const* x, float* const* y) {
  const std::int64_t width = rows.width, last = width - (vectors - 1) * simd::lanes;
  simd::Floats sum[together][vectors], w;
  load_sums(y, last, sum);
  const T* row = rows.data;
  const T* const end = row + rows.count * rows.stride;
  for (std::int64_t i = 0; i < rows.count; ++i, row += rows.stride) {
    if (together == 1) ask_ahead(row, width * static_cast<std::int64_t>(sizeof(T)), end, rows.next);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      simd::load(row + v * simd::lanes, w);
#pragma GCC unroll 8
      for (int t = 0; t < together; ++t) sum[t][v] += x[t][rows.first + i] * w;
    }
  }
  store_sums(sum, last, y);
}

// The same for weights in blocks. A weight is the product of its integer and its block's scale, which fp32
// holds exactly.
template <int vectors, int together>
LADIMO_INLINE void add_products(const BlockRows& rows, const float* const* x, float* const* y) {
  const std::int64_t width = rows.width, last = width - (vectors - 1) * simd::lanes;
  const std::int64_t stop = rows.first + rows.count;
  const std::byte* const end = q8_0::row(rows.panel, width, stop - 1) + width;
  simd::Floats sum[together][vectors], scale[vectors], w;
  load_sums(y, last, sum);
  for (std::int64_t i = rows.first; i < stop;) {
    const std::byte* const scales = q8_0::scales(rows.panel, width, i);
    if (together == 1) ask_ahead(scales, width * q8_0::scale_bytes, end, rows.next);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      simd::load_halves(scales + v * simd::lanes * q8_0::scale_bytes, scale[v]);
    const std::byte* row = q8_0::row(rows.panel, width, i);
    for (const std::int64_t block_end = q8_0::block_end(i, stop); i < block_end; ++i, row += width) {
      if (together == 1) ask_ahead(row, width, end, rows.next);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        simd::load(reinterpret_cast<const std::int8_t*>(row) + v * simd::lanes, w);
        w *= scale[v];
#pragma GCC unroll 8
        for (int t = 0; t < together; ++t) sum[t][v] += x[t][i] * w;
      }
    }
  }
  store_sums(sum, last, y);
}

// One vector's products with chosen rows. Rows are too far apart for the hardware to guess the next one.
template <int vectors, class T>
LADIMO_INLINE void add_chosen(const PanelRows<T>& rows, const std::int32_t* inputs, const float* x,
                              float* y) {
  const std::int64_t width = rows.width, last = width - (vectors - 1) * simd::lanes;
  const auto bytes = width * static_cast<std::int64_t>(sizeof(T));
  const std::int64_t ahead = std::max<std::int64_t>(prefetch_bytes / bytes, 1);
  simd::Floats sum[1][vectors], w;
  load_sums(&y, last, sum);
  for (std::int64_t k = 0; k < rows.count; ++k) {
    const T* const row = rows.data + inputs[k] * rows.stride;
    const std::int64_t then = k + ahead;
    const T* const asked =
        then < rows.count ? rows.data + inputs[then] * rows.stride : rows.next + (then - rows.count) * width;
    for (std::int64_t b = 0; b < bytes; b += line_bytes)
      __builtin_prefetch(reinterpret_cast<const char*>(asked) + b, 0, 2);
    const float factor = x[inputs[k]];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      simd::load(row + v * simd::lanes, w);
      sum[0][v] += factor * w;
    }
  }
  store_sums(sum, last, &y);
}

template <int vectors>
LADIMO_INLINE void add_chosen(const BlockRows& rows, const std::int32_t* inputs, const float* x, float* y) {
  const std::int64_t width = rows.width, last = width - (vectors - 1) * simd::lanes;
  const std::int64_t ahead = std::max<std::int64_t>(prefetch_bytes / width, 1);
  simd::Floats sum[1][vectors], scale[vectors], w;
  load_sums(&y, last, sum);
  for (std::int64_t k = 0; k < rows.count;) {
    const std::byte* const scales = q8_0::scales(rows.panel, width, inputs[k]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      simd::load_halves(scales + v * simd::lanes * q8_0::scale_bytes, scale[v]);
    const std::int64_t end = q8_0::block_end(inputs[k], std::numeric_limits<std::int64_t>::max());
    for (; k < rows.count && inputs[k] < end; ++k) {
      const std::int64_t then = k + ahead;
      const std::byte* const asked =
          then < rows.count ? q8_0::row(rows.panel, width, inputs[then])
                            : static_cast<const std::byte*>(rows.next) + (then - rows.count) * width;
      for (std::int64_t b = 0; b < width; b += line_bytes)
        __builtin_prefetch(reinterpret_cast<const char*>(asked) + b, 0, 2);
      const std::byte* const row = q8_0::row(rows.panel, width, inputs[k]);
      const float factor = x[inputs[k]];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) {
        simd::load(reinterpret_cast<const std::int8_t*>(row) + v * simd::lanes, w);
        w *= scale[v];
        sum[0][v] += factor * w;
      }
    }
  }
  store_sums(sum, last, &y);
}

// Rows of at least so many bytes are read side by side as they come, and asked for this far ahead.
// Prefetchers take shorter ones for a single stream and bring what lies between them. Then each of the rows
// that are read side by side is from another part of the list.
constexpr std::int64_t long_row_bytes = 4096, wide_prefetch_bytes = 20480;

// Adds `together` rows at a time, so that sums are loaded and stored once for all of them.
template <class T>
LADIMO_INLINE void add_wide_rows(const WideRows<T>& rows, const std::int32_t* inputs, const float* x,
                                 float* y) {
  constexpr int together = 8;
  constexpr auto line = line_bytes / static_cast<std::int64_t>(sizeof(T));
  const std::int64_t bytes = rows.stride * static_cast<std::int64_t>(sizeof(T));
  const bool is_long = bytes >= long_row_bytes;
  const std::int64_t groups = rows.count / together, ahead = wide_prefetch_bytes / bytes;
  const std::int64_t from_group = is_long ? together : 1, from_row = is_long ? 1 : groups;
  simd::Floats sum, w;
  for (std::int64_t k = 0; k < groups; ++k) {
    const T *row[together], *asked[together];
    float factor[together];
#pragma GCC unroll 8
    for (int j = 0; j < together; ++j) {
      const std::int64_t at = k * from_group + j * from_row;
      row[j] = rows.data + inputs[at] * rows.stride;
      asked[j] = rows.data + inputs[std::min(at + ahead, rows.count - 1)] * rows.stride;
      factor[j] = x[inputs[at]];
    }
    for (std::int64_t c = 0; c < rows.stride; c += simd::lanes) {
      if (is_long && c % line == 0)
#pragma GCC unroll 8
        for (int j = 0; j < together; ++j) __builtin_prefetch(asked[j] + c, 0, 3);
      simd::load(y + c, sum);
#pragma GCC unroll 8
      for (int j = 0; j < together; ++j) {
        simd::load(row[j] + c, w);
        sum += factor[j] * w;
      }
      simd::store(sum, y + c);
    }
  }
  for (std::int64_t k = groups * together; k < rows.count; ++k)
    simd::add_row(rows.data + inputs[k] * rows.stride, x[inputs[k]], rows.stride, y);
}

// `rows` are PanelRows or BlockRows.
template <int vectors, class Rows>
LADIMO_INLINE void multiply_panel(const Rows& rows, const float* const* x, float* const* y,
                                  std::int64_t tokens) {
  std::int64_t t = 0;
  if constexpr (vectors <= 3)  // 24 of 32 registers, as 4 vectors of the widest panel
    for (; t + 8 <= tokens; t += 8) add_products<vectors, 8>(rows, x + t, y + t);
  for (; t + 4 <= tokens; t += 4) add_products<vectors, 4>(rows, x + t, y + t);
  for (; t < tokens; ++t) add_products<vectors, 1>(rows, x + t, y + t);
}

// y [count, width] = the weights of rows in blocks.
LADIMO_INLINE void widen_blocks(const BlockRows& rows, float* y) {
  const std::int64_t width = rows.width;
  simd::Floats w, scale;
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const std::byte* const scales = q8_0::scales(rows.panel, width, rows.first + i);
    const std::byte* const row = q8_0::row(rows.panel, width, rows.first + i);
    for (std::int64_t c = 0; c < width; c += simd::lanes) {
      simd::load_halves(scales + c * q8_0::scale_bytes, scale);
      simd::load(reinterpret_cast<const std::int8_t*>(row) + c, w);
      w *= scale;
      simd::store_part(w, std::min(simd::lanes, width - c), y + i * width + c);
    }
  }
}

// Rows that are multiplied with many vectors before the next: in fp32 they fit into the nearest cache.
constexpr std::int64_t wide_rows = 64;

// `n` rows in fp32, from row i on. `wide` [n, width] holds them where they are stored otherwise.
LADIMO_INLINE PanelRows<float> widen_rows(const PanelRows<float>& rows, std::int64_t i, std::int64_t n,
                                          float*) {
  const float* const first = rows.data + i * rows.stride;
  return {first, rows.first + i, n, rows.width, rows.stride, first};
}

LADIMO_INLINE PanelRows<float> widen_rows(const PanelRows<c10::BFloat16>& rows, std::int64_t i,
                                          std::int64_t n, float* wide) {
  const c10::BFloat16* const first = rows.data + i * rows.stride;
  if (rows.stride == rows.width)
    widen(first, n * rows.width, wide);
  else
    for (std::int64_t r = 0; r < n; ++r) widen(first + r * rows.stride, rows.width, wide + r * rows.width);
  return {wide, rows.first + i, n, rows.width, rows.width, wide};
}

LADIMO_INLINE PanelRows<float> widen_rows(const BlockRows& rows, std::int64_t i, std::int64_t n,
                                          float* wide) {
  widen_blocks({rows.panel, rows.first + i, n, rows.width, rows.panel}, wide);
  return {wide, rows.first + i, n, rows.width, rows.width, wide};
}

}  // namespace ladimo::body
