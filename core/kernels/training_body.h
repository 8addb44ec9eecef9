// What happens to activations and weights when a layer is trained.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/elementwise_body.h"
#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

// Turns gate and up into the gradients with respect to them, given `dh`, the one with respect to silu(gate)
// up. d silu(g)/dg = s (1 + g (1 - s)) with the sigmoid s.
template <class T>
LADIMO_INLINE void swiglu_gradient(T* gate, T* up, const T* dh, std::int64_t n) {
  const simd::Floats most = simd::Floats{} + 88.0f;
  simd::Floats g, u, d, s;
  std::int64_t i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) {
    simd::load(gate + i, g);
    simd::load(up + i, u);
    simd::load(dh + i, d);
    s = -g;
    s = s > most ? most : s;
    simd::exponential(s);
    s = 1.0f / (s + 1.0f);
    u = d * u * s * (1.0f + g * (1.0f - s));
    d = d * g * s;
    simd::store(u, gate + i);
    simd::store(d, up + i);
  }
  for (; i < n; ++i) {
    const auto x = static_cast<float>(gate[i]), y = static_cast<float>(up[i]), z = static_cast<float>(dh[i]);
    const float sigmoid = 1 / (1 + std::exp(-x));
    gate[i] = static_cast<T>(z * y * sigmoid * (1 + x * (1 - sigmoid)));
    up[i] = static_cast<T>(z * x * sigmoid);
  }
}

// Returns the sum of gradient times change. Pieces are added in double.
LADIMO_INLINE double adam(const float* gradient, const AdamStep& step, std::int64_t n, float* first,
                          float* second, float* weight) {
  constexpr std::int64_t piece = 1024;
  const float keep1 = step.beta1, keep2 = step.beta2, take1 = 1 - keep1, take2 = 1 - keep2;
  double total = 0;
  for (std::int64_t begin = 0; begin < n; begin += piece) {
    const std::int64_t end = begin + piece < n ? begin + piece : n;
    float change[piece];
    for (std::int64_t i = begin; i < end; ++i) {
      const float g = gradient[i];
      first[i] = keep1 * first[i] + take1 * g;
      second[i] = keep2 * second[i] + take2 * g * g;
      change[i - begin] = -step.rate * first[i] / (std::sqrt(second[i]) + 1e-12f);
    }
    for (std::int64_t i = begin; i < end; ++i) weight[i] += change[i - begin];
    total += static_cast<double>(simd::dot(change, gradient + begin, end - begin));
  }
  return total;
}

}  // namespace ladimo::body
