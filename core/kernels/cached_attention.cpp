#include "kernels/cached_attention.h"

#include <cstddef>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t products_per_thread = 1 << 17;  // fewer are not worth waking a thread

// q [B, heads, D] fp32, scaled -> y [B, heads, D].
template <class T>
void attend_all(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& y) {
  const std::int64_t heads = q.size(1), kv_heads = k.size(1), n = k.size(2), head_dim = k.size(3);
  const std::int64_t group = heads / kv_heads;
  const auto* queries = static_cast<const float*>(q.data_ptr());
  const auto* keys = static_cast<const T*>(k.data_ptr());
  const auto* values = static_cast<const T*>(v.data_ptr());
  auto* sums = static_cast<float*>(y.data_ptr());
  const auto attend = kernels().of<T>().attend;
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

at::Tensor cached_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale) {
  const at::Tensor queries = (q.squeeze(2).to(at::kFloat) * scale).contiguous();
  const at::Tensor y = at::zeros(queries.sizes(), at::kFloat);
  if (v.scalar_type() == at::kFloat)
    attend_all<float>(queries, k, v, y);
  else
    attend_all<at::BFloat16>(queries, k, v, y);
  return y.unsqueeze(2).to(v.scalar_type());
}

}  // namespace ladimo
