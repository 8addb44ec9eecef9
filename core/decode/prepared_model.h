// The parts of one model, prepared for decoding when they are first asked for and then kept, so that decoders
// of several policies share them.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "decode/prepared_weights.h"
#include "model/weight_source.h"

namespace ladimo {

class PreparedModel {
 public:
  /// Precondition: the source is on the CPU, in fp32 or bf16. Held otherwise than as stored, the dense
  /// model's matrices are made from what the checkpoint says exactly.
  explicit PreparedModel(WeightSource source, Holding holding = Holding::as_stored);
  PreparedModel(const PreparedModel&) = delete;
  PreparedModel& operator=(const PreparedModel&) = delete;

  const WeightSource& source() const { return source_; }
  const at::Tensor& embedding();  // [vocab, d]
  std::shared_ptr<const PreparedHead> head();
  std::shared_ptr<const PreparedAttention> attention(std::int64_t layer);
  std::shared_ptr<const PreparedFfn> dense_ffn(std::int64_t layer);
  /// The layer for tokens that use some inputs of it, with its dense FFN or without. Null where matrices are
  /// not held as they are stored.
  std::shared_ptr<const PreparedRows> rows(std::int64_t layer, bool with_ffn);
  /// Kept as long as somebody else has `weights`.
  std::shared_ptr<const PreparedFfn> ffn(const std::shared_ptr<const MoeWeights>& weights);

 private:
  struct KnownFfn {
    std::weak_ptr<const MoeWeights> weights;
    std::shared_ptr<const PreparedFfn> ffn;
  };

  const WeightSource& matrices() const { return exact_ ? *exact_ : source_; }

  WeightSource source_;
  std::optional<WeightSource> exact_;  // where matrices come from that are not held as stored
  Arena arena_;
  Preparing preparing_;
  at::Tensor embedding_;
  std::shared_ptr<const PreparedHead> head_;
  std::vector<std::shared_ptr<const PreparedAttention>> attention_;  // per layer
  std::vector<std::shared_ptr<const PreparedFfn>> dense_ffns_;       // per layer
  std::map<std::pair<std::int64_t, bool>, std::shared_ptr<const PreparedRows>> rows_;
  std::map<const MoeWeights*, KnownFfn> ffns_;
};

}  // namespace ladimo
