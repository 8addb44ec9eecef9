// The activation of a converted layer in training: silu(g) * u with the neurons of skipped experts at zero,
// and its gradient.
#pragma once

#include <ATen/core/Tensor.h>

namespace ladimo {

/// Which neurons of a token run: the first S, and those of the experts that `on` [T, E] has as 1 (fp32, 0 and
/// 1 otherwise).
struct RunningNeurons {
  at::Tensor on;
  std::int64_t shared_neurons = 0;  // S
};

/// h [T, f] = silu(g) * u, zero for neurons that do not run. g, u [T, f] are contiguous, in fp32 or bf16.
at::Tensor masked_swiglu(const at::Tensor& g, const at::Tensor& u, const RunningNeurons& running);

/// Replaces g and u by the gradients with respect to them, given `dh`, the one with respect to h.
void masked_swiglu_gradient(at::Tensor& g, at::Tensor& u, const at::Tensor& dh,
                            const RunningNeurons& running);

}  // namespace ladimo
