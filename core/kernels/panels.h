// A matrix that is made ready to be multiplied with one vector or with many, whole or in part.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "kernels/arena.h"
#include "kernels/kernel_table.h"
#include "kernels/team.h"

namespace ladimo {

/// y [outputs] += x [inputs] matrix. The matrix is stored input by input, y += x_i row_i, in panels of at
/// most `widest_panel` outputs: the sums of a panel stay in registers while its weights are read once from
/// beginning to end. So inputs can be left out, and panels, and what is left out is not read.
class PanelMatrix {
 public:
  PanelMatrix() = default;
  /// A matrix of zeros, fp32 or bf16. `widths` are the outputs of every panel.
  PanelMatrix(Arena& arena, at::ScalarType dtype, std::int64_t inputs,
              const std::vector<std::int64_t>& widths);

  /// The weights of one panel [inputs, width], to be filled.
  at::Tensor panel(std::int64_t index) const;

  std::int64_t inputs() const { return inputs_; }
  std::int64_t outputs() const { return first_.empty() ? 0 : first_.back(); }
  std::int64_t panels() const { return first_.empty() ? 0 : static_cast<std::int64_t>(first_.size()) - 1; }
  /// The first output of a panel; of panels() the number of all outputs.
  std::int64_t first(std::int64_t index) const { return first_[static_cast<std::size_t>(index)]; }
  std::int64_t width(std::int64_t index) const { return first(index + 1) - first(index); }
  double element_bytes() const { return static_cast<double>(element_bytes_); }

  /// Where the weights of a panel begin, from one of its inputs on.
  const void* data(std::int64_t index, std::int64_t input = 0) const;

  /// Adds to y_t [width] of every vector what `inputs` of x_t add to the outputs of one panel. `next` is what
  /// the caller reads afterwards; null: what follows in memory. `wide` is scratch memory of wide_floats.
  void multiply(std::int64_t index, Range inputs, const float* const* x, float* const* y, std::int64_t tokens,
                const void* next, float* wide) const;

  /// Rows that are multiplied with many vectors before the next: in fp32 they fit into the nearest cache.
  static constexpr std::int64_t wide_rows = 64;
  static constexpr std::int64_t wide_floats = wide_rows * widest_panel + 16;

 private:
  template <class T>
  void multiply_as(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                   std::int64_t tokens, const void* next, float* wide) const;

  std::shared_ptr<std::byte> memory_;
  at::ScalarType dtype_ = at::kFloat;
  std::int64_t element_bytes_ = 0, inputs_ = 0;
  std::vector<std::int64_t> first_;  // of every panel, and the end
};

/// The widths of panels for `outputs`, in multiples of a register where it goes, that `threads` can share
/// evenly.
std::vector<std::int64_t> even_panels(std::int64_t outputs, int threads);

}  // namespace ladimo
