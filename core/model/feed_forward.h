// The feed-forward part of a decoder layer: the dense FFN or something that imitates it.
#pragma once

#include <ATen/core/Tensor.h>

#include "policy/moe_shape.h"

namespace ladimo {

struct FfnOutput {
  at::Tensor y;        // [T, d], dtype of x
  at::Tensor experts;  // [T] float, routed experts that ran for each token; undefined for a dense FFN
};

/// x [T, d] (the FFN's input, after the norm) -> y [T, d]. Immutable and thread-safe.
class FeedForward {
 public:
  virtual ~FeedForward() = default;
  virtual FfnOutput forward(const at::Tensor& x) const = 0;
  /// The sizes that decide what the network costs.
  virtual MoeShape shape() const = 0;
  /// Parameters used per token when `mean_experts` routed experts run on average.
  double activated_parameters(double mean_experts) const {
    return shape().activated_parameters(mean_experts);
  }
};

/// h = silu(gate x) * (up x): [T, d] -> [T, f]. Biases [f] may be undefined.
at::Tensor swiglu(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                  const at::Tensor& gate_bias, const at::Tensor& up_bias);

/// FFN(x) = down (silu(gate x) * (up x)). Biases are undefined where the checkpoint has none.
class DenseFfn : public FeedForward {
 public:
  at::Tensor gate;                // [f, d]
  at::Tensor up;                  // [f, d]
  at::Tensor down;                // [d, f]
  at::Tensor gate_bias, up_bias;  // [f]
  at::Tensor down_bias;           // [d]

  /// h = silu(gate x) * (up x): [T, d] -> [T, f].
  at::Tensor hidden(const at::Tensor& x) const;
  FfnOutput forward(const at::Tensor& x) const override;
  MoeShape shape() const override;
};

}  // namespace ladimo
