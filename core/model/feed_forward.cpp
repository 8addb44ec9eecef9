#include "model/feed_forward.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>

namespace ladimo {

at::Tensor swiglu(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                  const at::Tensor& gate_bias, const at::Tensor& up_bias) {
  return at::silu(at::linear(x, gate, gate_bias)) * at::linear(x, up, up_bias);
}

at::Tensor DenseFfn::hidden(const at::Tensor& x) const { return swiglu(x, gate, up, gate_bias, up_bias); }

FfnOutput DenseFfn::forward(const at::Tensor& x) const {
  return {at::linear(hidden(x), down, down_bias), {}};
}

MoeShape DenseFfn::shape() const {
  MoeShape shape;
  shape.hidden_size = gate.size(1);
  shape.shared_neurons = gate.size(0);
  shape.neuron_biases = gate_bias.defined();
  shape.output_bias = down_bias.defined();
  return shape;
}

}  // namespace ladimo
