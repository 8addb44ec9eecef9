// What one layer is fitted on.
#pragma once

#include <algorithm>
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace ladimo {

/// FFN inputs and the dense FFN's outputs on calibration tokens, window position 0 left out (method.md 3.0).
/// The first `training` rows are fitted, the rest only judge (early stopping, "never worse than before").
struct CalibrationRows {
  at::Tensor x;  // [T, d] fp32
  at::Tensor y;  // [T, d] fp32
  std::int64_t training = 0;

  std::int64_t count() const { return x.size(0); }
  CalibrationRows train() const { return {x.slice(0, 0, training), y.slice(0, 0, training), training}; }
  CalibrationRows validation() const { return {x.slice(0, training), y.slice(0, training), 0}; }
};

/// Rows per chunk, so that one [rows, neurons] fp32 matrix takes at most 16 MiB: the allocator keeps blocks
/// of that size for the next chunk instead of asking the system for fresh pages each time
/// (commands/runtime.cpp).
inline std::int64_t chunk_rows(std::int64_t neurons) {
  return std::clamp<std::int64_t>((4 << 20) / neurons, 256, 8192);
}

/// Calls `work(begin, end)` for consecutive chunks of `rows` rows.
template <class Work>
void for_chunks(std::int64_t rows, std::int64_t chunk, Work&& work) {
  for (std::int64_t begin = 0; begin < rows; begin += chunk) work(begin, std::min(begin + chunk, rows));
}

}  // namespace ladimo
