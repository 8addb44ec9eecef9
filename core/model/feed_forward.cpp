#include "model/feed_forward.h"

#include <utility>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>

#include "kernels/kernel_table.h"
#include "model/large_inputs.h"

namespace ladimo {

namespace {

constexpr std::int64_t elements_per_thread = 1 << 15;

/// Sets gate to silu(gate) * up, in one pass over memory.
template <class T>
void activate(at::Tensor& gate, const at::Tensor& up) {
  auto* g = gate.data_ptr<T>();
  const auto* u = up.data_ptr<T>();
  const auto swiglu = kernels().of<T>().swiglu;
  at::parallel_for(0, gate.numel(), elements_per_thread, [=](std::int64_t begin, std::int64_t end) {
    swiglu(g + begin, u + begin, end - begin, g + begin);
  });
}

}  // namespace

at::Tensor swiglu(const at::Tensor& x, const at::Tensor& gate, const at::Tensor& up,
                  const at::Tensor& gate_bias, const at::Tensor& up_bias) {
  at::Tensor g = at::linear(x, gate, gate_bias);
  const at::Tensor u = at::linear(x, up, up_bias);
  const bool ours = g.is_cpu() && !g.requires_grad() && !u.requires_grad();
  if (ours && g.scalar_type() == at::kFloat)
    activate<float>(g, u);
  else if (ours && g.scalar_type() == at::kBFloat16)
    activate<at::BFloat16>(g, u);
  else
    return at::silu(g) * u;
  return g;
}

at::Tensor DenseFfn::hidden(const at::Tensor& x) const { return swiglu(x, gate, up, gate_bias, up_bias); }

FfnOutput DenseFfn::forward(const at::Tensor& x, const at::Tensor&) const {
  const at::Tensor h = hidden(x);
  return {at::linear(h, down, down_bias), {}, {}, h};
}

at::Tensor DenseFfn::neuron_norms() const { return down.to(at::kFloat).norm(2, 0); }

MoeShape DenseFfn::shape() const {
  MoeShape shape;
  shape.hidden_size = gate.size(1);
  shape.shared_neurons = gate.size(0);
  shape.neuron_biases = gate_bias.defined();
  shape.output_bias = down_bias.defined();
  return shape;
}

CutFfn::CutFfn(std::shared_ptr<const DenseFfn> ffn, const LayerPolicy& policy)
    : ffn_(std::move(ffn)),
      input_threshold_(policy.cut(Product::gate_up).threshold),
      neuron_threshold_(policy.cut(Product::down).threshold),
      norm_(ffn_->neuron_norms()) {}

FfnOutput CutFfn::forward(const at::Tensor& x, const at::Tensor& first) const {
  const at::Tensor inputs = large_inputs(x, input_threshold_, first);
  const at::Tensor h = large_neurons(ffn_->hidden(inputs), norm_, neuron_threshold_, first);
  const auto d = static_cast<double>(x.size(1)), f = static_cast<double>(h.size(1));
  at::Tensor left_out = (f - used_inputs(h)) * d;
  if (neuron_threshold_ <= 0) left_out.zero_();
  if (input_threshold_ > 0) left_out.add_((d - used_inputs(inputs)) * (2 * f));
  return {at::linear(h, ffn_->down, ffn_->down_bias), {}, left_out, {}};
}

}  // namespace ladimo
