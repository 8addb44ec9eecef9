// Next-token distributions, row by row.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

constexpr std::int64_t block = 64 * simd::lanes;  // added in float; blocks in double

LADIMO_INLINE float largest(const float* z, std::int64_t n) {
  float result = z[0];
  std::int64_t c = 0;
  if (n >= simd::lanes) {
    simd::Floats most, v;
    simd::load(z, most);
    for (c = simd::lanes; c + simd::lanes <= n; c += simd::lanes) {
      simd::load(z + c, v);
      most = v > most ? v : most;
    }
    for (std::int64_t i = 0; i < simd::lanes; ++i) result = most[i] > result ? most[i] : result;
  }
  for (; c < n; ++c) result = z[c] > result ? z[c] : result;
  return result;
}

// Sets e = exp(z - most) and returns the sum of e.
LADIMO_INLINE double exponentials(const float* z, float most, std::int64_t n, float* e) {
  double total = 0;
  std::int64_t c = 0;
  while (c + simd::lanes <= n) {
    simd::Floats sum{}, v;
    for (const std::int64_t end = std::min(c + block, n); c + simd::lanes <= end; c += simd::lanes) {
      simd::load(z + c, v);
      v -= most;
      simd::exponential(v);
      simd::store(v, e + c);
      sum += v;
    }
    total += static_cast<double>(simd::sum(sum));
  }
  for (; c < n; ++c) total += static_cast<double>(e[c] = std::exp(z[c] - most));
  return total;
}

// Returns sum p (a - b).
LADIMO_INLINE double mean_difference(const float* p, const float* a, const float* b, std::int64_t n) {
  double total = 0;
  std::int64_t c = 0;
  while (c + simd::lanes <= n) {
    simd::Floats sum{}, u, v, w;
    for (const std::int64_t end = std::min(c + block, n); c + simd::lanes <= end; c += simd::lanes) {
      simd::load(p + c, u);
      simd::load(a + c, v);
      simd::load(b + c, w);
      sum += u * (v - w);
    }
    total += static_cast<double>(simd::sum(sum));
  }
  for (; c < n; ++c) total += static_cast<double>(p[c] * (a[c] - b[c]));
  return total;
}

// Sets x = factor x - scale p.
LADIMO_INLINE void subtract(float* x, float factor, const float* p, float scale, std::int64_t n) {
  simd::Floats u, v;
  std::int64_t c = 0;
  for (; c + simd::lanes <= n; c += simd::lanes) {
    simd::load(x + c, u);
    simd::load(p + c, v);
    u = factor * u - scale * v;
    simd::store(u, x + c);
  }
  for (; c < n; ++c) x[c] = factor * x[c] - scale * p[c];
}

LADIMO_INLINE void softmax(const float* z, std::int64_t n, float* p, double* log_normaliser) {
  const float most = largest(z, n);
  const double sum = exponentials(z, most, n, p);
  const auto factor = static_cast<float>(1 / sum);
  for (std::int64_t c = 0; c < n; ++c) p[c] *= factor;
  *log_normaliser = static_cast<double>(most) + std::log(sum);
}

LADIMO_INLINE void diverge(const DenseRow& dense, const float* z, std::int64_t n, float scale,
                           float* gradient, Divergence* row) {
  row->most = largest(z, n);
  const double sum = exponentials(z, row->most, n, gradient);
  row->log_normaliser = static_cast<double>(row->most) + std::log(sum);
  // sum p (ln p - ln q)
  const double kl = mean_difference(dense.p, dense.logits, z, n) + row->log_normaliser - dense.log_normaliser;
  row->kl = kl < 0 ? 0 : kl;  // NaN passes through
  if (scale != 0) subtract(gradient, static_cast<float>(static_cast<double>(scale) / sum), dense.p, scale, n);
}

}  // namespace ladimo::body
