// The whole model held in memory, for generation, benchmarks and serving. Evaluation and conversion stream
// the layers instead.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "model/decoder_layer.h"
#include "model/kv_cache.h"
#include "model/weight_source.h"

namespace ladimo {

class Decoder {
 public:
  /// Loads every layer and prepares its FFN. Where `ffns[l]` is given and not null, it replaces the dense FFN
  /// of layer l, whose weights are then not loaded.
  explicit Decoder(const WeightSource& source,
                   const std::vector<std::shared_ptr<const FeedForward>>& ffns = {});

  const ModelConfig& config() const { return config_; }
  const FeedForward& ffn(std::size_t layer) const { return *layers_[layer].ffn; }
  KvCache make_cache(std::int64_t batch, std::int64_t capacity) const;

  struct Output {
    at::Tensor logits;                // [B, W, vocab], or [B, 1, vocab] when only the last was asked for
    std::vector<at::Tensor> experts;  // per layer [B * W] routed experts that ran; undefined for dense layers
  };
  /// ids [B, W] int64. With a cache the ids continue the cached sequence. Use forward_chunks for long
  /// prompts.
  Output forward(const at::Tensor& ids, KvCache* cache = nullptr, bool last_only = false) const;
  /// Prefills in chunks of `chunk` tokens. Returns the output of the last position: logits [B, 1, vocab],
  /// experts [B].
  Output forward_chunks(const at::Tensor& ids, KvCache& cache, std::int64_t chunk = 512) const;

 private:
  ModelConfig config_;
  at::Device device_;
  at::ScalarType dtype_;
  Rotary rotary_;
  Head head_;
  at::Tensor embedding_;  // [vocab, d]
  std::vector<DecoderLayer> layers_;
};

}  // namespace ladimo
