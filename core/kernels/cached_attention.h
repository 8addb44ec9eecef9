// Attention of one new token over the keys and values before it. This takes many short dot products, and one
// library call for each would cost more than the work.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace ladimo {

/// Whether `cached_attention` can handle these tensors: one query per sequence, on the CPU, keys and values
/// in one dtype (fp32 or bf16) with contiguous rows, without autograd.
bool attends_from_cache(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v);

/// softmax(scale q k) v. q [B, heads, 1, D], k and v [B, kv_heads, n, D] -> [B, heads, 1, D], dtype of v.
/// Precondition: attends_from_cache.
at::Tensor cached_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale);

}  // namespace ladimo
