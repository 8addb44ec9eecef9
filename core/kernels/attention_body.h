// Attention of one query head over the keys and values before it.
#pragma once

#include <cstdint>

#include "kernels/distribution_body.h"
#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

template <class T>
LADIMO_INLINE void attend_any(const HeadCache<T>& cache, const float* q, float* scores, float* y) {
  for (std::int64_t j = 0; j < cache.n; ++j)
    scores[j] = simd::dot(q, cache.keys + j * cache.key_stride, cache.head_dim);
  double log_normaliser;
  softmax(scores, cache.n, scores, &log_normaliser);
  for (std::int64_t j = 0; j < cache.n; ++j)
    simd::add_row(cache.values + j * cache.value_stride, scores[j], cache.head_dim, y);
}

// Attends with a head_dim of `registers` times 16, so that the query and the sum never leave the registers.
template <int registers, class T>
LADIMO_INLINE void attend_fixed(const HeadCache<T>& cache, const float* q, float* scores, float* y) {
  simd::Floats query[registers], total[registers], row;
  for (int r = 0; r < registers; ++r) {
    simd::load(q + r * simd::lanes, query[r]);
    total[r] = simd::Floats{};
  }
  for (std::int64_t j = 0; j < cache.n; ++j) {
    simd::Floats product{};
#pragma GCC unroll 8
    for (int r = 0; r < registers; ++r) {
      simd::load(cache.keys + j * cache.key_stride + r * simd::lanes, row);
      product += query[r] * row;
    }
    scores[j] = simd::sum(product);
  }
  double log_normaliser;
  softmax(scores, cache.n, scores, &log_normaliser);
  for (std::int64_t j = 0; j < cache.n; ++j)
#pragma GCC unroll 8
    for (int r = 0; r < registers; ++r) {
      simd::load(cache.values + j * cache.value_stride + r * simd::lanes, row);
      total[r] += scores[j] * row;
    }
  for (int r = 0; r < registers; ++r) simd::store(total[r], y + r * simd::lanes);
}

template <class T>
LADIMO_INLINE void attend_head(const HeadCache<T>& cache, const float* q, float* scores, float* y) {
  switch (cache.head_dim) {
    case 32:
      return attend_fixed<2>(cache, q, scores, y);
    case 64:
      return attend_fixed<4>(cache, q, scores, y);
    case 128:
      return attend_fixed<8>(cache, q, scores, y);
    default:
      return attend_any(cache, q, scores, y);
  }
}

}  // namespace ladimo::body
