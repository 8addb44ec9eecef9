// The feed-forward part of a decoder layer: the dense FFN or something that imitates it.
#pragma once

#include <memory>

#include <ATen/core/Tensor.h>

#include "policy/layer_policy.h"
#include "policy/moe_shape.h"

namespace ladimo {

struct FfnOutput {
  at::Tensor y;        // [T, d], dtype of x
  at::Tensor experts;  // [T] float, routed experts that ran for each token; undefined for a dense FFN
  /// [T] float, parameters within what ran that were left out with single inputs; undefined: none.
  at::Tensor left_out = {};
  at::Tensor hidden = {};  // [T, f] the neurons of a dense FFN; undefined for others
};

/// x [T, d] (the FFN's input, after the norm) -> y [T, d]. `first` [T] bool says which tokens begin a text
/// (model/large_inputs.h); undefined: none. Immutable and thread-safe.
class FeedForward {
 public:
  virtual ~FeedForward() = default;
  virtual FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const = 0;
  FfnOutput forward(const at::Tensor& x) const { return forward(x, {}); }
  /// The sizes that decide what the network costs.
  virtual MoeShape shape() const = 0;
  /// What each neuron adds to the output per unit of its size: [f] fp32, the norms of the rows of down.
  /// Undefined where FfnOutput::hidden is.
  virtual at::Tensor neuron_norms() const { return {}; }
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
  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const override;
  MoeShape shape() const override;
  at::Tensor neuron_norms() const override;
};

/// A dense FFN that leaves out small inputs and neurons.
class CutFfn : public FeedForward {
 public:
  /// The cuts of `policy`, which is dense otherwise.
  CutFfn(std::shared_ptr<const DenseFfn> ffn, const LayerPolicy& policy);
  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor& first) const override;
  MoeShape shape() const override { return ffn_->shape(); }

 private:
  std::shared_ptr<const DenseFfn> ffn_;
  double input_threshold_, neuron_threshold_;
  at::Tensor norm_;  // [f] fp32 of what each neuron adds
};

}  // namespace ladimo
