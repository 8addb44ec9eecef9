#include "model/decoder_layer.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/logical_or.h>
#include <ATen/ops/rsqrt.h>

#include "model/attention.h"
#include "model/kv_cache.h"
#include "model/large_inputs.h"

namespace ladimo {
namespace {

// What the queries from position `query` on can see of what comes before them and of each other.
Seen seen_before(std::int64_t query, std::int64_t queries, std::int64_t sliding_window, at::Device device) {
  const std::int64_t key = sliding_window > 0 ? std::max<std::int64_t>(query - sliding_window + 1, 0) : 0;
  const std::int64_t keys = query + queries - key;
  const bool causal = key + keys - 1 > query;
  const bool windowed = sliding_window > 0 && key <= query + queries - 1 - sliding_window;
  if (!causal && !windowed) return {key, keys, {}};
  const auto options = at::TensorOptions(at::kLong).device(device);
  const at::Tensor i = at::arange(query, query + queries, options).unsqueeze(1);
  const at::Tensor j = at::arange(key, key + keys, options);
  at::Tensor hidden = j > i;
  if (windowed) hidden = at::logical_or(hidden, j <= i - sliding_window);
  return {key, keys, hidden.unsqueeze(0)};
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const at::Tensor wide = x.to(at::kFloat);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, true) + eps);
  return weight * (wide * scale).to(weight.scalar_type());
}

at::Tensor DecoderLayer::attend(const at::Tensor& h, const Rotary& rotary, KvCache* cache, std::int64_t layer,
                                const AttentionCuts& cuts, AttentionInputs* inputs) const {
  AttentionInputs own;
  AttentionInputs& used = inputs != nullptr ? *inputs : own;
  const std::int64_t start = cache != nullptr ? cache->length(layer) : 0, length = start + h.size(1);
  auto [queries, keys, values] =
      project(*this, h, rotary.upto(cache != nullptr ? cache->expected(length) : length), start, cuts, used);
  if (cache != nullptr) std::tie(keys, values) = cache->append(layer, keys, values);
  const at::Tensor attended = attend_in_chunks(
      queries, keys, values, attention_scale, [&](std::int64_t i, std::int64_t count, auto, auto) {
        return seen_before(start + i, count, sliding_window, h.device());
      });
  used.o = large_inputs(attended, cuts.o, cuts.first);
  return h.add(at::linear(used.o, o, o_bias), residual_multiplier);
}

DecoderLayer::Added DecoderLayer::add_ffn(const at::Tensor& h, const FeedForward& network,
                                          const at::Tensor& first) const {
  const at::Tensor x = rms_norm(h, ffn_norm, rms_eps).view({-1, h.size(-1)});
  FfnOutput out = network.forward(x, first);
  return {h.add(out.y.view_as(h), residual_multiplier), x, std::move(out)};
}

at::Tensor Head::logits(const at::Tensor& h) const {
  at::Tensor logits = at::linear(rms_norm(h, norm, rms_eps), weight);
  return logits_scaling == 1 ? logits : logits.div_(logits_scaling);
}

}  // namespace ladimo
