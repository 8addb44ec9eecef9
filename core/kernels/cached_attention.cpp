#include "kernels/cached_attention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "kernels/simd.h"

namespace ladimo {
namespace {

constexpr std::int64_t products_per_thread = 1 << 17;  // less is not worth waking a thread

// Keys and values of one head of one sequence.
template <class T>
struct HeadCache {
  const T *keys, *values;  // [n, D], rows `key_stride`, `value_stride` apart
  std::int64_t n, head_dim, key_stride, value_stride;
};

// Turns scores into weights: exp(score - largest) / sum.
LADIMO_INLINE void normalise(float* scores, std::int64_t n) {
  const float largest = *std::max_element(scores, scores + n);
  float total = 0;
  for (std::int64_t j = 0; j < n; ++j) total += scores[j] = std::exp(scores[j] - largest);
  for (std::int64_t j = 0; j < n; ++j) scores[j] /= total;
}

// q [D], scaled; scores [n] is scratch; y [D] is zero before.
template <class T>
LADIMO_INLINE void attend_any(const HeadCache<T>& cache, const float* q, float* scores, float* y) {
  for (std::int64_t j = 0; j < cache.n; ++j)
    scores[j] = simd::dot(q, cache.keys + j * cache.key_stride, cache.head_dim);
  normalise(scores, cache.n);
  for (std::int64_t j = 0; j < cache.n; ++j)
    simd::add_row(cache.values + j * cache.value_stride, scores[j], cache.head_dim, y);
}

// The same for a head_dim of `registers` times 16: the query and the sum never leave the registers.
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
  normalise(scores, cache.n);
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

LADIMO_CLONES void attend(const HeadCache<float>& cache, const float* q, float* scores, float* y) {
  attend_head(cache, q, scores, y);
}
LADIMO_CLONES void attend(const HeadCache<at::BFloat16>& cache, const float* q, float* scores, float* y) {
  attend_head(cache, q, scores, y);
}

// q [B, heads, D] fp32, scaled -> y [B, heads, D].
template <class T>
void attend_all(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& y) {
  const std::int64_t heads = q.size(1), kv_heads = k.size(1), n = k.size(2), head_dim = k.size(3);
  const std::int64_t group = heads / kv_heads;
  const auto* queries = static_cast<const float*>(q.data_ptr());
  const auto* keys = static_cast<const T*>(k.data_ptr());
  const auto* values = static_cast<const T*>(v.data_ptr());
  auto* sums = static_cast<float*>(y.data_ptr());
  const std::int64_t grain = products_per_thread / (2 * group * n * head_dim) + 1;
  at::parallel_for(0, k.size(0) * kv_heads, grain, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scores(static_cast<std::size_t>(n));
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t b = i / kv_heads, head = i % kv_heads;
      const HeadCache<T> cache{keys + b * k.stride(0) + head * k.stride(1),
                               values + b * v.stride(0) + head * v.stride(1),
                               n,
                               head_dim,
                               k.stride(2),
                               v.stride(2)};
      for (std::int64_t row = i * group; row < (i + 1) * group; ++row)
        attend(cache, queries + row * head_dim, scores.data(), sums + row * head_dim);
    }
  });
}

}  // namespace

bool attends_from_cache(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const at::ScalarType dtype = v.scalar_type();
  const bool differentiated =
      at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  return q.size(2) == 1 && q.device().is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16) &&
         k.scalar_type() == dtype && k.stride(3) == 1 && v.stride(3) == 1 && !differentiated;
}

at::Tensor cached_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) {
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(3)));
  const at::Tensor queries = (q.squeeze(2).to(at::kFloat) * scale).contiguous();
  const at::Tensor y = at::zeros(queries.sizes(), at::kFloat);
  if (v.scalar_type() == at::kFloat)
    attend_all<float>(queries, k, v, y);
  else
    attend_all<at::BFloat16>(queries, k, v, y);
  return y.unsqueeze(2).to(v.scalar_type());
}

}  // namespace ladimo
