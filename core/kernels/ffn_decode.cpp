#include "kernels/ffn_decode.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>

#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t max_tokens = 8;
constexpr std::int64_t block_rows = 32;
constexpr std::int64_t weights_per_thread = 1 << 17;  // fewer are not worth waking a thread

// Neurons first ... first + rows - 1 of one slice. Slice -1 stands for the shared neurons.
struct Block {
  std::int64_t first, rows, slice;
};

// The slices that each token selected: bool [T, E].
struct Selection {
  const bool* on;
  std::int64_t tokens, slices;

  bool runs(std::int64_t token, std::int64_t slice) const { return slice < 0 || on[token * slices + slice]; }
  bool runs(std::int64_t slice) const {
    for (std::int64_t t = 0; t < tokens; ++t)
      if (runs(t, slice)) return true;
    return false;
  }
};

std::vector<Block> blocks_to_run(const FfnRows& rows, const Selection& selection) {
  std::vector<Block> blocks;
  const auto add = [&](std::int64_t first, std::int64_t count, std::int64_t slice) {
    for (std::int64_t row = 0; row < count; row += block_rows)
      blocks.push_back({first + row, std::min(block_rows, count - row), slice});
  };
  add(0, rows.shared_neurons, -1);
  const std::int64_t m = rows.slice_neurons();
  for (std::int64_t e = 0; e < rows.slices; ++e)
    if (selection.runs(e)) add(rows.shared_neurons + e * m, m, e);
  return blocks;
}

// Splits the blocks and the slices into `parts` in a way that depends on their number only. The partial sums
// [parts, T, d] are added in order.
template <class T>
at::Tensor decode(const FfnRows& rows, const at::Tensor& x, const Selection& selection) {
  const auto pointer = [](const at::Tensor& t) -> const T* {
    return t.defined() ? static_cast<const T*>(t.data_ptr()) : nullptr;
  };
  const std::int64_t d = x.size(1);
  const NeuronRows<T> neurons{pointer(rows.gate),      pointer(rows.up),      pointer(rows.down),
                              pointer(rows.gate_bias), pointer(rows.up_bias), d};
  const T* compensation = pointer(rows.compensation);
  const StoredKernels<T>& kernel = kernels().of<T>();
  const std::vector<Block> blocks = blocks_to_run(rows, selection);
  const auto count = static_cast<std::int64_t>(blocks.size());
  const std::int64_t work = count * block_rows * 3 * d;
  const std::int64_t parts = std::clamp<std::int64_t>(work / weights_per_thread, 1, at::get_num_threads());
  const at::Tensor partial = at::zeros({parts, selection.tokens, d}, at::kFloat);
  const float* inputs = static_cast<const float*>(x.data_ptr());
  float* sums = static_cast<float*>(partial.data_ptr());
  at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      float* y = sums + part * selection.tokens * d;
      for (std::int64_t b = count * part / parts; b < count * (part + 1) / parts; ++b) {
        const Block& block = blocks[static_cast<std::size_t>(b)];
        for (std::int64_t t = 0; t < selection.tokens; ++t)
          if (selection.runs(t, block.slice))
            kernel.add_neurons(neurons, block.first, block.rows, inputs + t * d, y + t * d);
      }
      if (compensation == nullptr) continue;
      for (std::int64_t e = selection.slices * part / parts; e < selection.slices * (part + 1) / parts; ++e)
        for (std::int64_t t = 0; t < selection.tokens; ++t)
          if (!selection.runs(t, e)) kernel.add_row(compensation + e * d, d, y + t * d);
    }
  });
  return parts == 1 ? partial.select(0, 0) : partial.sum(0);
}

}  // namespace

bool decodes(const at::Tensor& weight) {
  return weight.device().is_cpu() &&
         (weight.scalar_type() == at::kFloat || weight.scalar_type() == at::kBFloat16);
}

bool are_few(const at::Tensor& x) {
  return x.size(0) <= max_tokens && !(at::GradMode::is_enabled() && x.requires_grad());
}

at::Tensor decode_ffn(const FfnRows& rows, const at::Tensor& x, const at::Tensor& selected) {
  const at::Tensor inputs = x.to(at::kFloat).contiguous();
  const at::Tensor on = selected.defined() ? selected.contiguous() : selected;
  const Selection selection{on.defined() ? static_cast<const bool*>(on.data_ptr()) : nullptr, x.size(0),
                            rows.slices};
  const at::Tensor y = rows.gate.scalar_type() == at::kFloat ? decode<float>(rows, inputs, selection)
                                                             : decode<c10::BFloat16>(rows, inputs, selection);
  return rows.down_bias.defined() ? y + rows.down_bias : y;
}

}  // namespace ladimo
