// What happens to activations between the products.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/kernel_table.h"
#include "kernels/simd.h"

namespace ladimo::body {

// y = x / rms(x) * weight
LADIMO_INLINE void rms_norm(const float* x, const float* weight, std::int64_t n, float eps, float* y) {
  const float scale = 1 / std::sqrt(simd::dot(x, x, n) / static_cast<float>(n) + eps);
  simd::Floats v, w;
  std::int64_t i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) {
    simd::load(x + i, v);
    simd::load(weight + i, w);
    v = v * scale * w;
    simd::store(v, y + i);
  }
  for (; i < n; ++i) y[i] = x[i] * scale * weight[i];
}

// Sets g to silu(g) = g / (1 + exp(-g)).
LADIMO_INLINE void apply_silu(simd::Floats& g) {
  const simd::Floats most = simd::Floats{} + 88.0f;
  simd::Floats e = -g;
  e = e > most ? most : e;
  simd::exponential(e);
  g = g / (e + 1.0f);
}

LADIMO_INLINE void silu(const float* x, std::int64_t n, float* y) {
  simd::Floats g;
  std::int64_t i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) {
    simd::load(x + i, g);
    apply_silu(g);
    simd::store(g, y + i);
  }
  for (; i < n; ++i) y[i] = x[i] / (1 + std::exp(-x[i]));
}

// y = silu(gate) * up. The last numbers are computed in a register that begins before them. It is filled
// first, because y may be the gate.
template <class T>
LADIMO_INLINE void swiglu(const T* gate, const T* up, std::int64_t n, T* y) {
  simd::Floats g, u, last_g{}, last_u{};
  if (n >= simd::lanes) {
    simd::load(gate + n - simd::lanes, last_g);
    simd::load(up + n - simd::lanes, last_u);
  }
  std::int64_t i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) {
    simd::load(gate + i, g);
    simd::load(up + i, u);
    apply_silu(g);
    g = g * u;
    simd::store(g, y + i);
  }
  if (i < n && n >= simd::lanes) {
    apply_silu(last_g);
    last_g = last_g * last_u;
    simd::store(last_g, y + n - simd::lanes);
    i = n;
  }
  for (; i < n; ++i) {
    const auto x = static_cast<float>(gate[i]);
    y[i] = static_cast<T>(x / (1 + std::exp(-x)) * static_cast<float>(up[i]));
  }
}

// The rotary embedding of one head. The first half of sin is negative.
LADIMO_INLINE void rotate(float* x, const float* cos, const float* sin, std::int64_t half) {
  for (std::int64_t i = 0; i < half; ++i) {
    const float a = x[i], b = x[i + half];
    x[i] = a * cos[i] + b * sin[i];
    x[i + half] = b * cos[i + half] + a * sin[i + half];
  }
}

// The numbers of what is not small. Every number is written, and the next one over it unless it stays.
LADIMO_INLINE std::int64_t choose(const float* x, const float* limits, std::int64_t begin, std::int64_t end,
                                  std::int32_t* inputs) {
  std::int64_t count = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    inputs[count] = static_cast<std::int32_t>(i);
    count += std::abs(x[i]) >= limits[i] ? 1 : 0;
  }
  return count;
}

LADIMO_INLINE std::int64_t clear_small(const float* x, const float* limits, std::int64_t n, float* y) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const bool stays = std::abs(x[i]) >= limits[i];
    count += stays ? 1 : 0;
    y[i] = stays ? x[i] : 0.0f;
  }
  return count;
}

LADIMO_INLINE float sum(const float* x, std::int64_t n) {
  simd::Floats part[4] = {}, v;
  std::int64_t i = 0;
  for (; i + 4 * simd::lanes <= n; i += 4 * simd::lanes)
#pragma GCC unroll 4
    for (int p = 0; p < 4; ++p) {
      simd::load(x + i + p * simd::lanes, v);
      part[p] += v;
    }
  float result = simd::sum((part[0] + part[1]) + (part[2] + part[3]));
  for (; i < n; ++i) result += x[i];
  return result;
}

template <class T>
LADIMO_INLINE void widen(const T* from, std::int64_t n, float* to) {
  simd::Floats v;
  std::int64_t i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) {
    simd::load(from + i, v);
    simd::store(v, to + i);
  }
  for (; i < n; ++i) to[i] = static_cast<float>(from[i]);
}

template <class T>
LADIMO_INLINE void round_to(const float* from, std::int64_t n, T* to) {
  simd::Floats v;
  std::int64_t i = 0;
  for (; i + simd::lanes <= n; i += simd::lanes) {
    simd::load(from + i, v);
    simd::store(v, to + i);
  }
  for (; i < n; ++i) to[i] = static_cast<T>(from[i]);
}

}  // namespace ladimo::body
