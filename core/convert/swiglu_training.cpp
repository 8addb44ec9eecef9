#include "convert/swiglu_training.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t rows_per_thread = 16;

/// Sets the neurons of skipped experts to zero in every row t of `to` from `begin` to `end`.
template <class T>
class Skipping {
 public:
  Skipping(const RunningNeurons& running, std::int64_t neurons)
      : on_(running.on.contiguous()),
        shared_(running.shared_neurons),
        experts_(on_.size(1)),
        size_((neurons - shared_) / experts_) {}

  void clear(std::int64_t t, T* row) const {
    const auto* on = on_.data_ptr<float>() + t * experts_;
    for (std::int64_t e = 0; e < experts_; ++e)
      if (on[e] == 0) std::fill_n(row + shared_ + e * size_, size_, T(0));
  }

 private:
  at::Tensor on_;
  std::int64_t shared_, experts_, size_;
};

template <class T>
at::Tensor forward(const at::Tensor& g, const at::Tensor& u, const RunningNeurons& running) {
  auto h = at::empty_like(g);
  const auto f = g.size(1);
  const Skipping<T> skipping(running, f);
  const auto swiglu = kernels().of<T>().swiglu;
  at::parallel_for(0, g.size(0), rows_per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (auto t = begin; t < end; ++t) {
      auto* row = h.data_ptr<T>() + t * f;
      swiglu(g.data_ptr<T>() + t * f, u.data_ptr<T>() + t * f, f, row);
      skipping.clear(t, row);
    }
  });
  return h;
}

template <class T>
void backward(at::Tensor& g, at::Tensor& u, const at::Tensor& dh, const RunningNeurons& running) {
  const auto f = g.size(1);
  const Skipping<T> skipping(running, f);
  const auto gradient = kernels().of<T>().swiglu_gradient;
  at::parallel_for(0, g.size(0), rows_per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (auto t = begin; t < end; ++t) {
      auto *gate = g.data_ptr<T>() + t * f, *up = u.data_ptr<T>() + t * f;
      gradient(gate, up, dh.data_ptr<T>() + t * f, f);
      skipping.clear(t, gate);
      skipping.clear(t, up);
    }
  });
}

/// `on` for every neuron: [T, f] in the dtype of `like`.
at::Tensor neuron_mask(const RunningNeurons& running, const at::Tensor& like) {
  const auto experts = running.on.size(1);
  const auto routed = running.on.repeat_interleave((like.size(1) - running.shared_neurons) / experts, 1);
  return at::cat({at::ones({like.size(0), running.shared_neurons}, routed.options()), routed}, 1)
      .to(like.scalar_type());
}

}  // namespace

at::Tensor masked_swiglu(const at::Tensor& g, const at::Tensor& u, const RunningNeurons& running) {
  if (!g.is_cpu()) return at::silu(g) * u * neuron_mask(running, g);
  return g.scalar_type() == at::kFloat ? forward<float>(g, u, running) : forward<at::BFloat16>(g, u, running);
}

void masked_swiglu_gradient(at::Tensor& g, at::Tensor& u, const at::Tensor& dh,
                            const RunningNeurons& running) {
  if (!g.is_cpu()) {
    const auto d = dh * neuron_mask(running, g);
    const auto sigmoid = g.sigmoid();
    const auto silu = g * sigmoid;
    g = d * u * (sigmoid + silu * (1 - sigmoid));
    u = d * silu;
  } else if (g.scalar_type() == at::kFloat) {
    backward<float>(g, u, dh, running);
  } else {
    backward<at::BFloat16>(g, u, dh, running);
  }
}

}  // namespace ladimo
