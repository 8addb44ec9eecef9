// A matrix of which single inputs are read. Memory gives its full speed only to long runs: what prefetchers
// bring beyond a run is wasted. So a row holds what its input adds to all outputs, several kilobytes, instead
// of one panel of them (kernels/panels.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <ATen/core/Tensor.h>

#include "kernels/arena.h"

namespace ladimo {

class WideMatrix {
 public:
  WideMatrix() = default;
  /// `rows` [inputs, outputs] fp32 or bf16, held as they are.
  WideMatrix(Arena& arena, const at::Tensor& rows);

  std::int64_t inputs() const { return inputs_; }
  std::int64_t outputs() const { return outputs_; }
  /// The floats that add_rows() needs for its sums: outputs, rounded up to a register.
  std::int64_t room() const { return stride_; }

  /// y [room] += sum over i in `inputs` of x[i] row_i. `inputs` rise.
  void add_rows(std::span<const std::int32_t> inputs, const float* x, float* y) const;

 private:
  bool fp32_ = true;
  std::int64_t inputs_ = 0, outputs_ = 0, stride_ = 0;  // stride in elements
  std::shared_ptr<std::byte> memory_;
};

}  // namespace ladimo
