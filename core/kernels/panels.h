// A matrix that is made ready to be multiplied with one vector or with many, whole or in part.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <ATen/core/Tensor.h>

#include "kernels/arena.h"
#include "kernels/kernel_table.h"
#include "kernels/team.h"

namespace ladimo {

/// How the weights of a matrix lie in memory.
enum class PanelType { fp32, bf16, q8_0 };

/// The type that holds an fp32 or a bf16 tensor as it is.
PanelType panel_type(const at::Tensor& weights);

/// y [outputs] += x [inputs] matrix. The matrix is stored input by input, y += x_i row_i, in panels of at
/// most `widest_panel` outputs: the sums of a panel stay in registers while its weights are read once from
/// beginning to end. So inputs can be left out, and panels, and what is left out is not read.
class PanelMatrix {
 public:
  static constexpr std::int64_t many = 16;  // vectors from which on widening costs less than it saves

  PanelMatrix() = default;
  /// A matrix of zeros. `widths` are the outputs of every panel. With `biased` one more input follows
  /// `weights` inputs, whose row holds the biases; these are not rounded to Q8_0.
  PanelMatrix(Arena& arena, PanelType type, std::int64_t weights, bool biased,
              const std::vector<std::int64_t>& widths);

  /// Sets one panel to `values` [inputs, width], fp32 or bf16.
  void set(std::int64_t index, const at::Tensor& values);

  std::int64_t inputs() const { return inputs_; }
  /// Whether the last input is the one of the biases.
  bool biased() const { return inputs_ > weights_; }
  std::int64_t outputs() const { return first_.empty() ? 0 : first_.back(); }
  std::int64_t panels() const { return first_.empty() ? 0 : static_cast<std::int64_t>(first_.size()) - 1; }
  /// The first output of a panel; of panels() the number of all outputs.
  std::int64_t first(std::int64_t index) const { return first_[static_cast<std::size_t>(index)]; }
  std::int64_t width(std::int64_t index) const { return first(index + 1) - first(index); }
  /// Bytes of one element on average, scales and biases included.
  double element_bytes() const;

  /// Where the weights of a panel begin, from one of its inputs on; in Q8_0 from the block of that input on.
  const void* data(std::int64_t index, std::int64_t input = 0) const;

  /// Adds to y_t [width] of every vector what `inputs` of x_t add to the outputs of one panel. `next` is what
  /// the caller reads afterwards; null: what follows in memory.
  void multiply(std::int64_t index, Range inputs, const float* const* x, float* const* y, std::int64_t tokens,
                const void* next) const;
  /// Whether multiply_tiles() can be used.
  bool in_tiles() const { return type_ == PanelType::bf16 && kernels().tiles.multiply != nullptr; }
  /// Sets y_t [width] to the outputs of one panel for vector tokens[t]. `x` are the tiles of all vectors, as
  /// TileKernels::split makes them.
  void multiply_tiles(std::int64_t index, const VectorTile* x, std::span<const std::int32_t> tokens,
                      float* const* y, const void* next) const;
  /// The same as multiply() for one vector, of which only the inputs in `inputs` are read, which rise.
  void multiply_chosen(std::int64_t index, std::span<const std::int32_t> inputs, const float* x, float* y,
                       const void* next) const;

 private:
  template <class T>
  void multiply_chosen_as(std::int64_t index, std::span<const std::int32_t> inputs, const float* x, float* y,
                          const void* next) const;
  template <class T>
  void multiply_as(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                   std::int64_t tokens, const void* next) const;
  void multiply_blocks(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                       std::int64_t tokens, const void* next) const;
  std::byte* begin(std::int64_t index) const { return memory_.get() + first(index) * output_bytes_; }

  PanelType type_ = PanelType::fp32;
  std::int64_t weights_ = 0, inputs_ = 0;  // without and with the one of the biases
  std::int64_t output_bytes_ = 0;          // of one output in `memory_`
  std::shared_ptr<std::byte> memory_;
  std::shared_ptr<std::byte> biases_;  // [outputs] fp32, beside weights in Q8_0
  std::vector<std::int64_t> first_;    // of every panel, and the end
};

/// The widths of panels for `outputs`, in multiples of a register where it goes, that `threads` can share
/// evenly.
std::vector<std::int64_t> even_panels(std::int64_t outputs, int threads);

}  // namespace ladimo
