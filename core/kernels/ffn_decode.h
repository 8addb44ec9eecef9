// An FFN for few tokens. Reading weights takes most of the time, so only the rows that run are read.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace ladimo {

/// The weights of an FFN neuron by neuron: contiguous, on the CPU, all fp32 or all bf16. The first neurons
/// run for every token; the others are E slices of equal size, of which each token selects some. A dense FFN
/// has no slices.
struct FfnRows {
  at::Tensor gate, up, down;      // [f, d]: row j of each belongs to neuron j
  at::Tensor gate_bias, up_bias;  // [f], undefined: none
  at::Tensor down_bias;           // [d], undefined: none
  at::Tensor compensation;        // [E, d], added for every slice that is skipped; undefined: none
  std::int64_t shared_neurons = 0;
  std::int64_t slices = 0;  // E

  std::int64_t slice_neurons() const { return slices > 0 ? (gate.size(0) - shared_neurons) / slices : 0; }
};

/// Whether there are kernels for weights like this one. They must be fp32 or bf16 and on the CPU.
bool decodes(const at::Tensor& weight);
/// Whether x [T, d] is small enough to be decoded: at most 8 tokens, without autograd.
bool are_few(const at::Tensor& x);

/// Returns down silu(gate x) (up x) over the neurons that run, plus the compensation of the slices that do
/// not. Only the rows of the shared neurons and of the slices that at least one token selected are read. x
/// [T, d], selected bool [T, E] (undefined for a dense FFN) -> [T, d] fp32. The order of the sum depends on
/// the thread count only. Precondition: are_few(x).
at::Tensor decode_ffn(const FfnRows& rows, const at::Tensor& x, const at::Tensor& selected = {});

}  // namespace ladimo
