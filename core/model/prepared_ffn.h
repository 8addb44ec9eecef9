// Feed-forward networks made ready to decode. Dense and sparse ones read their weights through the same
// kernel.
#pragma once

#include <memory>

#include "kernels/ffn_decode.h"
#include "model/moe_layer.h"

namespace ladimo {

/// Runs few tokens (kernels/ffn_decode.h) through the kernel and more tokens through the matrix products of
/// the original network. Precondition: decodes() its weights, and they do not require gradients.
class PreparedFfn : public FeedForward {
 public:
  /// Copies the down projection neuron by neuron, unless memory holds it in that order already. The other
  /// weights are shared.
  explicit PreparedFfn(const DenseFfn& ffn);
  /// Shares the weights.
  explicit PreparedFfn(std::shared_ptr<const MoeLayer> layer);

  FfnOutput forward(const at::Tensor& x) const override;
  MoeShape shape() const override { return many_->shape(); }

 private:
  FfnRows rows_;
  std::shared_ptr<const FeedForward> many_;  // runs many tokens; shares its weights with `rows_`
  std::shared_ptr<const MoeLayer> sparse_;   // the network in many_; null for a dense FFN
};

/// Returns a PreparedFfn where `ffn` allows it, else `ffn` itself.
std::shared_ptr<const FeedForward> prepared(std::shared_ptr<const FeedForward> ffn);

}  // namespace ladimo
