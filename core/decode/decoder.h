// The whole model held in memory, for generation, benchmarks and serving. Evaluation and conversion stream
// the layers instead.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "decode/decoding_engine.h"
#include "decode/prepared_model.h"
#include "model/kv_cache.h"
#include "model/moe_layer.h"
#include "model/weight_source.h"

namespace ladimo {

/// On the CPU the decoding engine does all the work, on other devices libtorch does. Not thread-safe.
class Decoder {
 public:
  /// FFNs that replace dense ones, layer by layer; null: the dense FFN stays, and only then it is loaded.
  using Ffns = std::vector<std::shared_ptr<const FeedForward>>;

  explicit Decoder(const WeightSource& source, const Ffns& ffns = {})
      : Decoder(source, ffns, {}, source.config().layers) {}
  /// Leaves out inputs as `policy` says (none where it is empty). Has only the first `layers` layers, which
  /// are fewer than the model's for timing.
  Decoder(const WeightSource& source, const Ffns& ffns, const ModelPolicy& policy, std::int64_t layers);
  /// Shares what other decoders of the model have prepared. Precondition: can_prepare(prepared.source(),
  /// ffns).
  Decoder(PreparedModel& prepared, const Ffns& ffns, const ModelPolicy& policy, std::int64_t layers);
  /// Whether the decoding engine can do the work: fp32 or bf16 on the CPU, and no FFNs but dense and
  /// converted ones.
  static bool can_prepare(const WeightSource& source, const Ffns& ffns);

  const ModelConfig& config() const { return config_; }
  KvCache make_cache(std::int64_t batch, std::int64_t capacity) const;
  /// Bytes of weights that one decoded token reads, when as many experts and inputs run on average in every
  /// layer as `policy` says. An empty policy: all.
  double bytes_per_token(const ModelPolicy& policy) const;

  /// Appends `ids` to the cache, equally many for every sequence and one sequence after another, and returns
  /// the logits [B, vocab] of the token that follows each. Valid until the next call. `chunk` tokens are
  /// read at once.
  std::span<const float> read(std::span<const std::int32_t> ids, KvCache& cache,
                              std::int64_t chunk = 512) const;
  /// Routed experts that ran for the last token of one sequence in the last read(); -1 for a dense layer.
  int experts(std::size_t layer, std::int64_t sequence) const;
  /// The mean share of a product's inputs that the last read() used (DecodingEngine::read_share). Without an
  /// engine it is not counted: 1.
  double read_share(std::size_t layer, Product product) const {
    return engine_ ? engine_->read_share(layer, product) : 1;
  }

  struct Output {
    at::Tensor logits;                // [B, W, vocab], or [B, 1, vocab] when only the last was asked for
    std::vector<at::Tensor> experts;  // per layer [B * W] routed experts that ran; undefined for dense layers
  };
  /// ids [B, W] int64. With a cache the ids continue the cached sequence.
  Output forward(const at::Tensor& ids, KvCache* cache = nullptr, bool last_only = false) const;

 private:
  Output forward_by_libtorch(const at::Tensor& ids, KvCache* cache, bool last_only) const;
  Output output_of_engine(std::int64_t batch, std::int64_t wanted) const;

  ModelConfig config_;
  at::Device device_;
  at::ScalarType dtype_;  // of keys and values, and where libtorch does the work of all weights
  double element_bytes_;  // of a weight outside the FFNs
  std::vector<std::shared_ptr<const PreparedFfn>> prepared_;  // per layer
  std::unique_ptr<DecodingEngine> engine_;  // null where libtorch does the work, with what follows
  Rotary rotary_;
  Head head_;
  at::Tensor embedding_;  // [vocab, d]
  std::vector<DecoderLayer> layers_;
  ModelPolicy policy_;
  mutable Output last_;  // of read()
};

}  // namespace ladimo
