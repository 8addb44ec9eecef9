#include "model/sparse_decode.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#define LADIMO_INLINE inline __attribute__((always_inline))

// One clone per instruction set, chosen when the program starts (which sanitizers do not survive).
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define LADIMO_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#else
#define LADIMO_CLONES
#endif

namespace ladimo {
namespace {

constexpr std::int64_t max_tokens = 8;
constexpr std::int64_t block_rows = 32;
constexpr std::int64_t weights_per_thread = 1 << 17;  // less is not worth waking a thread

// Sixteen floats: one register with AVX-512, several without. Filled by reference, because passing such
// values between functions depends on the instruction set.
constexpr std::int64_t lanes = 16;
typedef float Floats __attribute__((vector_size(64)));

LADIMO_INLINE void load(const float* from, Floats& to) { std::memcpy(&to, from, sizeof(to)); }

LADIMO_INLINE void load(const at::BFloat16* from, Floats& to) {
  typedef std::uint16_t Halves __attribute__((vector_size(32)));
  typedef std::uint32_t Words __attribute__((vector_size(64)));
  Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  const Words words = __builtin_convertvector(halves, Words) << 16;
  std::memcpy(&to, &words, sizeof(to));
}

template <class T>
struct Layer {
  const T *gate, *up, *down, *compensation;
  const T *gate_bias, *up_bias;  // null: none
  std::int64_t d;
};

// Neurons first ... first + rows - 1 of one expert (-1: shared).
struct Block {
  std::int64_t first, rows, expert;
};

// h of one neuron.
template <class T>
LADIMO_INLINE float neuron(const Layer<T>& layer, std::int64_t row, const float* x) {
  const T* gate = layer.gate + row * layer.d;
  const T* up = layer.up + row * layer.d;
  Floats gates{}, ups{}, v, w;
  std::int64_t c = 0;
  for (; c + lanes <= layer.d; c += lanes) {
    load(x + c, v);
    load(gate + c, w);
    gates += v * w;
    load(up + c, w);
    ups += v * w;
  }
  float g = layer.gate_bias != nullptr ? static_cast<float>(layer.gate_bias[row]) : 0.0f;
  float u = layer.up_bias != nullptr ? static_cast<float>(layer.up_bias[row]) : 0.0f;
  for (std::int64_t i = 0; i < lanes; ++i) {
    g += gates[i];
    u += ups[i];
  }
  for (; c < layer.d; ++c) {
    g += x[c] * static_cast<float>(gate[c]);
    u += x[c] * static_cast<float>(up[c]);
  }
  return g / (1 + std::exp(-g)) * u;
}

// y += factor * row
template <class T>
LADIMO_INLINE void add_row(const T* row, float factor, std::int64_t d, float* y) {
  Floats sum, w;
  std::int64_t c = 0;
  for (; c + lanes <= d; c += lanes) {
    load(y + c, sum);
    load(row + c, w);
    sum += factor * w;
    std::memcpy(y + c, &sum, sizeof(sum));
  }
  for (; c < d; ++c) y[c] += factor * static_cast<float>(row[c]);
}

template <class T>
LADIMO_INLINE void add_block(const Layer<T>& layer, const Block& block, const float* x, float* y) {
  for (std::int64_t row = block.first; row < block.first + block.rows; ++row)
    add_row(layer.down + row * layer.d, neuron(layer, row, x), layer.d, y);
}

LADIMO_CLONES void run(const Layer<float>& layer, const Block& block, const float* x, float* y) {
  add_block(layer, block, x, y);
}
LADIMO_CLONES void run(const Layer<at::BFloat16>& layer, const Block& block, const float* x, float* y) {
  add_block(layer, block, x, y);
}
LADIMO_CLONES void skip(const Layer<float>& layer, std::int64_t expert, float* y) {
  add_row(layer.compensation + expert * layer.d, 1, layer.d, y);
}
LADIMO_CLONES void skip(const Layer<at::BFloat16>& layer, std::int64_t expert, float* y) {
  add_row(layer.compensation + expert * layer.d, 1, layer.d, y);
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
         is_ready(weights.up) && is_ready(weights.down) && is_ready(weights.compensation);
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
