#include "model/decoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>

#include "base/error.h"
#include "model/prepared_ffn.h"

namespace ladimo {

Decoder::Decoder(const WeightSource& source, const std::vector<std::shared_ptr<const FeedForward>>& ffns)
    : config_(source.config()),
      device_(source.device()),
      dtype_(source.dtype()),
      rotary_(source.rotary()),
      head_(source.head()),
      embedding_(config_.tied_head ? head_.weight : source.embedding()) {
  for (std::int64_t l = 0; l < config_.layers; ++l) {
    layers_.push_back(source.layer_without_ffn(l));
    const auto i = static_cast<std::size_t>(l);
    layers_.back().ffn = prepared(i < ffns.size() && ffns[i] != nullptr ? ffns[i] : source.dense_ffn(l));
  }
}

KvCache Decoder::make_cache(std::int64_t batch, std::int64_t capacity) const {
  return KvCache(config_, batch, capacity, device_, dtype_);
}

Decoder::Output Decoder::forward(const at::Tensor& ids, KvCache* cache, bool last_only) const {
  const at::NoGradGuard no_grad;
  const std::int64_t width = ids.size(1);
  Output output;
  at::Tensor h = entering_stream(at::embedding(embedding_, ids.to(device_)), config_);  // [B, W, d]
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const DecoderLayer& layer = layers_[l];
    h = layer.attend(h, rotary_, cache, static_cast<std::int64_t>(l));
    DecoderLayer::Added added = layer.add_ffn(h);
    h = std::move(added.h);
    output.experts.push_back(std::move(added.ffn.experts));
  }
  if (last_only) h = h.narrow(1, width - 1, 1);
  output.logits = head_.logits(h);
  return output;
}

Decoder::Output Decoder::forward_chunks(const at::Tensor& ids, KvCache& cache, std::int64_t chunk) const {
  const std::int64_t batch = ids.size(0), width = ids.size(1);
  if (width == 0) throw Error("There is no token to continue.");
  Output output;
  cache.expect(cache.length(0) + width);
  for (std::int64_t i = 0; i < width; i += chunk)
    output = forward(ids.narrow(1, i, std::min(chunk, width - i)), &cache, /*last_only=*/true);
  for (at::Tensor& experts : output.experts)
    if (experts.defined()) {
      const at::Tensor rows = experts.view({batch, -1});
      experts = rows.select(1, rows.size(1) - 1);
    }
  return output;
}

}  // namespace ladimo
