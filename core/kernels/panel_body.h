// Products of few or many vectors with rows of a panel (kernels/panels.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

// How far ahead weights are asked for: the hardware's own prefetchers stop at the end of every page.
constexpr std::ptrdiff_t prefetch_bytes = 4096;
constexpr std::int64_t line_bytes = 64;

// The first `count` floats of a vector.
LADIMO_INLINE void load_part(const float* from, std::int64_t count, simd::Floats& to) {
  if (count == simd::lanes) return simd::load(from, to);
  to = simd::Floats{};
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

LADIMO_INLINE void store_part(const simd::Floats& from, std::int64_t count, float* to) {
  if (count == simd::lanes) return simd::store(from, to);
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i];
}

// Adds for `together` vectors, with the width in `vectors` registers. The order of every sum is that of the
// rows, so a vector's result does not depend on those beside it.
template <int vectors, int together, class T>
LADIMO_INLINE void add_products(const PanelRows<T>& rows, const float* const* x, float* const* y) {
  const std::int64_t width = rows.width, last = width - (vectors - 1) * simd::lanes;
  simd::Floats sum[together][vectors], w;
#pragma GCC unroll 8
  for (int t = 0; t < together; ++t)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      load_part(y[t] + v * simd::lanes, v + 1 < vectors ? simd::lanes : last, sum[t][v]);
  const T* row = rows.data;
  const T* const end = row + rows.count * rows.stride;
  const auto row_bytes = width * static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t i = 0; i < rows.count; ++i, row += rows.stride) {
    if (together == 1) {
      const char* ahead = reinterpret_cast<const char*>(row) + prefetch_bytes;
      if (ahead >= reinterpret_cast<const char*>(end))
        ahead = reinterpret_cast<const char*>(rows.next) + (ahead - reinterpret_cast<const char*>(end));
      for (std::int64_t b = 0; b < row_bytes; b += line_bytes) __builtin_prefetch(ahead + b, 0, 2);
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      simd::load(row + v * simd::lanes, w);
#pragma GCC unroll 8
      for (int t = 0; t < together; ++t) sum[t][v] += x[t][rows.first + i] * w;
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < together; ++t)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      store_part(sum[t][v], v + 1 < vectors ? simd::lanes : last, y[t] + v * simd::lanes);
}

template <int vectors, class T>
LADIMO_INLINE void multiply_panel(const PanelRows<T>& rows, const float* const* x, float* const* y,
                                  std::int64_t tokens) {
  std::int64_t t = 0;
  if constexpr (vectors <= 3)  // 24 of 32 registers, as 4 vectors of the widest panel
    for (; t + 8 <= tokens; t += 8) add_products<vectors, 8>(rows, x + t, y + t);
  for (; t + 4 <= tokens; t += 4) add_products<vectors, 4>(rows, x + t, y + t);
  for (; t < tokens; ++t) add_products<vectors, 1>(rows, x + t, y + t);
}

}  // namespace ladimo::body
