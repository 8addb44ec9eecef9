#include "model/decoder_layer.h"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "base/chunking.h"
#include "model/kv_cache.h"

namespace ladimo {
namespace {

// The queries of a chunk and the keys that they can see, as positions in the sequence.
struct Span {
  std::int64_t query = 0, queries = 0;
  std::int64_t key = 0, keys = 0;
};

// The mask [queries, keys]: 0 where the query sees the key, else -inf. Undefined when every query sees every
// key.
at::Tensor attention_mask(const Span& span, std::int64_t sliding_window, at::Device device) {
  const bool causal = span.key + span.keys - 1 > span.query;
  const bool windowed = sliding_window > 0 && span.key <= span.query + span.queries - 1 - sliding_window;
  if (!causal && !windowed) return {};
  const auto options = at::TensorOptions(at::kLong).device(device);
  const at::Tensor i = at::arange(span.query, span.query + span.queries, options).unsqueeze(1);
  const at::Tensor j = at::arange(span.key, span.key + span.keys, options);
  at::Tensor hidden = j > i;
  if (windowed) hidden = at::logical_or(hidden, j <= i - sliding_window);
  return at::zeros(hidden.sizes(), options.dtype(at::kFloat))
      .masked_fill(hidden, -std::numeric_limits<double>::infinity());
}

// q [B, heads, w, D], k and v [B, kv_heads, n, D] -> [B, heads, w, D]. Query heads of one group share their
// keys. They are folded into the rows of one product, so keys are never repeated.
at::Tensor attend_span(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask,
                       double scale) {
  const std::int64_t batch = q.size(0), heads = q.size(1), queries = q.size(2), head_dim = q.size(3);
  const std::int64_t kv_heads = k.size(1), group = heads / kv_heads;
  const at::Tensor rows = q.reshape({batch * kv_heads, group * queries, head_dim});
  const at::Tensor columns = k.reshape({batch * kv_heads, k.size(2), head_dim}).transpose(1, 2);
  const at::Tensor scores =
      mask.defined() ? at::baddbmm(mask.to(q.scalar_type()).repeat({group, 1}), rows, columns, 1, scale)
                     : at::bmm(rows, columns) * scale;
  const at::Tensor weights = at::softmax(scores, -1, at::kFloat).to(v.scalar_type());
  return at::bmm(weights, v.reshape({batch * kv_heads, v.size(2), head_dim}))
      .view({batch, heads, queries, head_dim});
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, true) + eps);
  return weight * (wide * scale).to(weight.scalar_type());
}

at::Tensor DecoderLayer::attend(const at::Tensor& h, const Rotary& rotary, KvCache* cache,
                                std::int64_t layer) const {
  const std::int64_t batch = h.size(0), width = h.size(1);
  const std::int64_t start = cache != nullptr ? cache->length(layer) : 0;
  const std::int64_t length = start + width;
  const Rotary::Tables turns = rotary.upto(cache != nullptr ? cache->expected(length) : length);
  const at::Tensor x = rms_norm(h, attention_norm, rms_eps);
  const auto project = [&](const at::Tensor& weight, const at::Tensor& bias, std::int64_t count) {
    return at::linear(x, weight, bias).view({batch, width, count, head_dim}).transpose(1, 2);
  };
  const auto turned = [&](const at::Tensor& heads_of, const at::Tensor& norm) {
    return rotate(norm.defined() ? rms_norm(heads_of, norm, rms_eps) : heads_of, turns, start);
  };
  const at::Tensor queries = turned(project(q, q_bias, heads), q_norm);
  at::Tensor keys = turned(project(k, k_bias, kv_heads), k_norm);
  at::Tensor values = project(v, v_bias, kv_heads);
  if (cache != nullptr) std::tie(keys, values) = cache->append(layer, keys, values);

  const std::int64_t rows = chunk_score_rows(heads, length);
  const std::int64_t chunk = std::min({width, chunk_queries, rows});
  const std::int64_t sequences = std::clamp<std::int64_t>(rows / chunk, 1, batch);
  std::vector<at::Tensor> chunks;
  for (std::int64_t i = 0; i < width; i += chunk) {
    Span span{start + i, std::min(chunk, width - i), 0, 0};
    span.key = sliding_window > 0 ? std::max<std::int64_t>(span.query - sliding_window + 1, 0) : 0;
    span.keys = span.query + span.queries - span.key;
    const at::Tensor mask = attention_mask(span, sliding_window, h.device());
    std::vector<at::Tensor> parts;
    for (std::int64_t b = 0; b < batch; b += sequences) {
      const std::int64_t n = std::min(sequences, batch - b);
      const auto visible = [&](const at::Tensor& t) {
        return t.narrow(0, b, n).narrow(2, span.key, span.keys);
      };
      parts.push_back(attend_span(queries.narrow(0, b, n).narrow(2, i, span.queries), visible(keys),
                                  visible(values), mask, attention_scale));
    }
    chunks.push_back(parts.size() == 1 ? parts.front() : at::cat(parts, 0));
  }
  const at::Tensor attended = chunks.size() == 1 ? chunks.front() : at::cat(chunks, 2);
  return h.add(at::linear(attended.transpose(1, 2).reshape({batch, width, heads * head_dim}), o, o_bias),
               residual_multiplier);
}

DecoderLayer::Added DecoderLayer::add_ffn(const at::Tensor& h, const FeedForward& network) const {
  const at::Tensor x = rms_norm(h, ffn_norm, rms_eps).view({-1, h.size(-1)});
  FfnOutput out = network.forward(x);
  return {h.add(out.y.view_as(h), residual_multiplier), x, std::move(out)};
}

at::Tensor Head::logits(const at::Tensor& h) const {
  at::Tensor logits = at::linear(rms_norm(h, norm, rms_eps), weight);
  return logits_scaling == 1 ? logits : logits.div_(logits_scaling);
}

}  // namespace ladimo
