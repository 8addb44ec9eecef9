// Feed-forward networks made ready to decode: dense and sparse ones read their weights through the same
// kernel.
#pragma once

#include <memory>

#include "kernels/ffn_decode.h"
#include "model/moe_layer.h"

namespace ladimo {

/// Few tokens (kernels/ffn_decode.h) go through the kernel, more through the same matrix products as in the
/// network that it was made from. Precondition: decodes() its weights, and they do not require gradients.
class PreparedFfn : public FeedForward {
 public:
  /// Copies the down projection, to store it by neurons, unless that is how it already lies in memory. The
  /// rest is shared.
  explicit PreparedFfn(const DenseFfn& ffn);
  /// Shares the weights.
  explicit PreparedFfn(std::shared_ptr<const MoeLayer> layer);

  FfnOutput forward(const at::Tensor& x) const override;
  MoeShape shape() const override { return many_->shape(); }

 private:
  FfnRows rows_;
  std::shared_ptr<const FeedForward> many_;  // for many tokens; its weights are those of `rows_`
  std::shared_ptr<const MoeLayer> sparse_;   // the same one, null for a dense FFN
};

/// `ffn` as it should stand in a decoder: a PreparedFfn where there is one for it, else itself.
std::shared_ptr<const FeedForward> prepared(std::shared_ptr<const FeedForward> ffn);

}  // namespace ladimo
