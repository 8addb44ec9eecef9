#include "kernels/sparse_decode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "kernels/simd.h"

namespace ladimo {
namespace {

constexpr std::int64_t max_tokens = 8;
constexpr std::int64_t block_rows = 32;
constexpr std::int64_t weights_per_thread = 1 << 17;  // less is not worth waking a thread

template <class T>
struct Layer {
  const T *gate, *up, *down, *compensation;  // compensation is null: none
  const T *gate_bias, *up_bias;              // null: none
  std::int64_t d;
};

// Neurons first ... first + rows - 1 of one expert (-1: shared).
struct Block {
  std::int64_t first, rows, expert;
};

template <class T>
LADIMO_INLINE float bias(const T* biases, std::int64_t row) {
  return biases != nullptr ? static_cast<float>(biases[row]) : 0.0f;
}

// h of one neuron.
template <class T>
LADIMO_INLINE float neuron(const Layer<T>& layer, std::int64_t row, const float* x) {
  const float g = simd::dot(x, layer.gate + row * layer.d, layer.d) + bias(layer.gate_bias, row);
  const float u = simd::dot(x, layer.up + row * layer.d, layer.d) + bias(layer.up_bias, row);
  return g / (1 + std::exp(-g)) * u;
}

template <class T>
LADIMO_INLINE void add_block(const Layer<T>& layer, const Block& block, const float* x, float* y) {
  for (std::int64_t row = block.first; row < block.first + block.rows; ++row)
    simd::add_row(layer.down + row * layer.d, neuron(layer, row, x), layer.d, y);
}

LADIMO_CLONES void run(const Layer<float>& layer, const Block& block, const float* x, float* y) {
  add_block(layer, block, x, y);
}
LADIMO_CLONES void run(const Layer<at::BFloat16>& layer, const Block& block, const float* x, float* y) {
  add_block(layer, block, x, y);
}
LADIMO_CLONES void skip(const Layer<float>& layer, std::int64_t expert, float* y) {
  simd::add_row(layer.compensation + expert * layer.d, 1, layer.d, y);
}
LADIMO_CLONES void skip(const Layer<at::BFloat16>& layer, std::int64_t expert, float* y) {
  simd::add_row(layer.compensation + expert * layer.d, 1, layer.d, y);
}

// What the tokens selected: bool [T, E].
struct Selection {
  const bool* on;
  std::int64_t tokens, routed;

  bool runs(std::int64_t token, std::int64_t expert) const {
    return expert < 0 || on[token * routed + expert];
  }
  bool runs(std::int64_t expert) const {
    for (std::int64_t t = 0; t < tokens; ++t)
      if (runs(t, expert)) return true;
    return false;
  }
};

std::vector<Block> blocks_to_run(const MoeWeights& weights, const Selection& selection) {
  std::vector<Block> blocks;
  const auto add = [&](std::int64_t first, std::int64_t rows, std::int64_t expert) {
    for (std::int64_t row = 0; row < rows; row += block_rows)
      blocks.push_back({first + row, std::min(block_rows, rows - row), expert});
  };
  add(0, weights.shared_neurons, -1);
  const std::int64_t m = weights.expert_neurons();
  for (std::int64_t e = 0; e < weights.routed(); ++e)
    if (selection.runs(e)) add(weights.shared_neurons + e * m, m, e);
  return blocks;
}

// Splits the blocks and the experts into `parts` that depend on their number only; partial sums
// [parts, T, d] are added in order.
template <class T>
at::Tensor decode(const MoeWeights& weights, const at::Tensor& x, const Selection& selection) {
  const auto pointer = [](const at::Tensor& t) -> const T* {
    return t.defined() ? static_cast<const T*>(t.data_ptr()) : nullptr;
  };
  const Layer<T> layer{pointer(weights.gate),         pointer(weights.up),        pointer(weights.down),
                       pointer(weights.compensation), pointer(weights.gate_bias), pointer(weights.up_bias),
                       weights.hidden_size()};
  const std::vector<Block> blocks = blocks_to_run(weights, selection);
  const auto count = static_cast<std::int64_t>(blocks.size());
  const std::int64_t work = count * block_rows * 3 * layer.d;
  const std::int64_t parts = std::clamp<std::int64_t>(work / weights_per_thread, 1, at::get_num_threads());
  const at::Tensor partial = at::zeros({parts, selection.tokens, layer.d}, at::kFloat);
  const float* inputs = static_cast<const float*>(x.data_ptr());
  float* sums = static_cast<float*>(partial.data_ptr());
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      float* y = sums + part * selection.tokens * layer.d;
      for (std::int64_t b = count * part / parts; b < count * (part + 1) / parts; ++b)
        for (std::int64_t t = 0; t < selection.tokens; ++t)
          if (selection.runs(t, blocks[static_cast<std::size_t>(b)].expert))
            run(layer, blocks[static_cast<std::size_t>(b)], inputs + t * layer.d, y + t * layer.d);
      if (layer.compensation == nullptr) continue;
      for (std::int64_t e = selection.routed * part / parts; e < selection.routed * (part + 1) / parts; ++e)
        for (std::int64_t t = 0; t < selection.tokens; ++t)
          if (!selection.runs(t, e)) skip(layer, e, y + t * layer.d);
    }
  });
  return parts == 1 ? partial.select(0, 0) : partial.sum(0);
}

}  // namespace

bool decodes_sparsely(const MoeWeights& weights, const at::Tensor& x) {
  const auto is_ready = [](const at::Tensor& t) {
    return t.is_contiguous() && !(at::GradMode::is_enabled() && t.requires_grad());
  };
  const at::ScalarType dtype = weights.gate.scalar_type();
  return x.size(0) <= max_tokens && x.device().is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16) &&
         !(at::GradMode::is_enabled() && x.requires_grad()) && is_ready(weights.gate) &&
         is_ready(weights.up) && is_ready(weights.down) &&
         (!weights.compensation.defined() || is_ready(weights.compensation));
}

at::Tensor sparse_decode(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& selected) {
  const at::Tensor inputs = x.to(at::kFloat).contiguous();
  const at::Tensor on = selected.contiguous();
  const Selection selection{static_cast<const bool*>(on.data_ptr()), x.size(0), weights.routed()};
  const at::Tensor y = weights.gate.scalar_type() == at::kFloat
                           ? decode<float>(weights, inputs, selection)
                           : decode<at::BFloat16>(weights, inputs, selection);
  return weights.down_bias.defined() ? y + weights.down_bias : y;
}

}  // namespace ladimo
