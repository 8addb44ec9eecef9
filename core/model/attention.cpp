#include "model/attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "base/chunking.h"
#include "kernels/kernel_table.h"
#include "model/large_inputs.h"

namespace ladimo {
namespace {

constexpr std::int64_t rows_per_thread = 16;

/// Replaces scores [B * kv_heads, group * w, n] by their softmax over what each query sees, in one pass over
/// memory. `hidden` [1 or B, w, n] or undefined.
void softmax_of_seen(at::Tensor& scores, const at::Tensor& hidden, std::int64_t batch) {
  const std::int64_t keys = scores.size(2), rows = scores.size(0) * scores.size(1);
  const at::Tensor mask = hidden.defined() ? hidden.contiguous() : hidden;
  const bool* const all_hidden = mask.defined() ? mask.data_ptr<bool>() : nullptr;
  const std::int64_t queries = mask.defined() ? mask.size(1) : 1;
  const std::int64_t rows_of_mask = mask.defined() && mask.size(0) > 1 ? rows / batch : rows;
  auto* const values = scores.data_ptr<float>();
  const auto softmax = kernels().softmax;
  at::parallel_for(0, rows, rows_per_thread, [=](std::int64_t first, std::int64_t last) {
    double log_normaliser;
    for (std::int64_t r = first; r < last; ++r) {
      float* const row = values + r * keys;
      if (all_hidden == nullptr) {
        softmax(row, keys, row, &log_normaliser);
        continue;
      }
      const bool* const is_hidden = all_hidden + (r / rows_of_mask * queries + r % queries) * keys;
      const bool* const end_of_row = is_hidden + keys;
      const std::int64_t begin = std::find(is_hidden, end_of_row, false) - is_hidden;
      std::int64_t end = keys;
      while (end > begin && is_hidden[end - 1]) --end;
      for (std::int64_t i = begin; i < end; ++i)
        if (is_hidden[i]) row[i] = -std::numeric_limits<float>::infinity();
      if (begin < end) softmax(row + begin, end - begin, row + begin, &log_normaliser);
      for (std::int64_t i = begin; i < end; ++i)
        if (is_hidden[i]) row[i] = 0;
      std::fill_n(row, begin, 0.0F);
      std::fill(row + end, row + keys, 0.0F);
    }
  });
}

/// Scores of which the hidden ones are -inf.
at::Tensor masked_scores(const at::Tensor& rows, const at::Tensor& columns, const at::Tensor& hidden,
                         std::int64_t group, std::int64_t kv_heads, double scale) {
  if (!hidden.defined()) return at::bmm(rows, columns) * scale;
  at::Tensor mask = at::zeros(hidden.sizes(), rows.options())
                        .masked_fill(hidden, -std::numeric_limits<double>::infinity())
                        .repeat({1, group, 1});
  if (hidden.size(0) > 1) mask = mask.repeat_interleave(kv_heads, 0);
  return at::baddbmm(mask, rows, columns, 1, scale);
}

// q [B, heads, w, D], k and v [B, kv_heads, n, D] -> [B, heads, w, D]. Query heads of one group share their
// keys. They are folded into the rows of one product, so keys are never repeated.
at::Tensor attend_seen(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                       const at::Tensor& hidden, double scale) {
  const std::int64_t batch = q.size(0), heads = q.size(1), queries = q.size(2), head_dim = q.size(3);
  const std::int64_t kv_heads = k.size(1), group = heads / kv_heads;
  const at::Tensor rows = q.reshape({batch * kv_heads, group * queries, head_dim});
  const at::Tensor columns = k.reshape({batch * kv_heads, k.size(2), head_dim}).transpose(1, 2);
  const at::Tensor each = v.reshape({batch * kv_heads, v.size(2), head_dim});
  const bool differentiable =
      at::GradMode::is_enabled() && (q.requires_grad() || k.requires_grad() || v.requires_grad());
  at::Tensor weights;
  if (q.is_cpu() && q.scalar_type() == at::kFloat && !differentiable) {
    weights = at::bmm(rows * scale, columns);
    softmax_of_seen(weights, hidden, batch);
  } else {
    weights = at::softmax(masked_scores(rows, columns, hidden, group, kv_heads, scale), -1, at::kFloat)
                  .to(v.scalar_type());
  }
  return at::bmm(weights, each).view({batch, heads, queries, head_dim});
}

}  // namespace

Projected project(const DecoderLayer& layer, const at::Tensor& h, const Rotary::Tables& turns,
                  std::int64_t start, const AttentionCuts& cuts, AttentionInputs& inputs) {
  const std::int64_t batch = h.size(0), width = h.size(1);
  const at::Tensor x = large_inputs(rms_norm(h, layer.attention_norm, layer.rms_eps), cuts.qkv, cuts.first);
  inputs.qkv = x;
  const auto heads_of = [&](const at::Tensor& weight, const at::Tensor& bias, std::int64_t count) {
    return at::linear(x, weight, bias).view({batch, width, count, layer.head_dim}).transpose(1, 2);
  };
  const auto turned = [&](const at::Tensor& t, const at::Tensor& norm) {
    return rotate(norm.defined() ? rms_norm(t, norm, layer.rms_eps) : t, turns, start);
  };
  return {turned(heads_of(layer.q, layer.q_bias, layer.heads), layer.q_norm),
          turned(heads_of(layer.k, layer.k_bias, layer.kv_heads), layer.k_norm),
          heads_of(layer.v, layer.v_bias, layer.kv_heads)};
}

at::Tensor attend_in_chunks(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, double scale,
                            const See& see) {
  const std::int64_t batch = q.size(0), heads = q.size(1), width = q.size(2);
  const std::int64_t rows = chunk_score_rows(heads, k.size(2));
  const std::int64_t chunk = std::min({width, chunk_queries, rows});
  const std::int64_t sequences = std::clamp<std::int64_t>(rows / chunk, 1, batch);
  std::vector<at::Tensor> chunks;
  for (std::int64_t i = 0; i < width; i += chunk) {
    const std::int64_t queries = std::min(chunk, width - i);
    std::vector<at::Tensor> parts;
    for (std::int64_t b = 0; b < batch; b += sequences) {
      const std::int64_t n = std::min(sequences, batch - b);
      const Seen seen = see(i, queries, b, n);
      const auto visible = [&](const at::Tensor& t) {
        return t.narrow(0, b, n).narrow(2, seen.key, seen.keys);
      };
      parts.push_back(
          attend_seen(q.narrow(0, b, n).narrow(2, i, queries), visible(k), visible(v), seen.hidden, scale));
    }
    chunks.push_back(parts.size() == 1 ? parts.front() : at::cat(parts, 0));
  }
  const at::Tensor attended = chunks.size() == 1 ? chunks.front() : at::cat(chunks, 2);
  return attended.transpose(1, 2).reshape({batch, width, heads * q.size(3)});
}

}  // namespace ladimo
