// A converted FFN that leaves out the experts that its tokens skip.
#pragma once

#include <memory>
#include <mutex>

#include "decode/prepared_weights.h"
#include "model/moe_layer.h"

namespace ladimo {

/// Equal to MoeLayer up to rounding. Tokens are grouped by the experts that they run, and the kernels of
/// decoding multiply each group with the weights of its expert. Where that would be slower than computing
/// every neuron, MoeLayer does the work. How many experts may run before it is slower is measured on this
/// machine, once for every shape of layer in a process, so the last digits may change from run to run.
class SkippingFfn : public FeedForward {
 public:
  /// Precondition: possible(*weights).
  SkippingFfn(std::shared_ptr<const MoeWeights> weights, const LayerPolicy& policy);
  /// Whether there are kernels for the weights: fp32 on the CPU.
  static bool possible(const MoeWeights& weights);

  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const override;
  MoeShape shape() const override { return masked_.shape(); }
  /// forward() for a selection bool [T, E], by groups whatever that costs. Differentiable: no.
  at::Tensor grouped(const at::Tensor& x, const at::Tensor& selected) const;

 private:
  double fastest_share(const at::Tensor& x) const;
  const PreparedFfn& prepared() const;

  MoeLayer masked_;
  mutable std::once_flag once_;
  mutable Arena arena_;
  mutable std::unique_ptr<const PreparedFfn> prepared_;
};

}  // namespace ladimo
