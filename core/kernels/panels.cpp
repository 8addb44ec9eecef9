#include "kernels/panels.h"

#include <algorithm>

#include <ATen/ops/from_blob.h>

namespace ladimo {
namespace {

constexpr std::int64_t lanes = 16;
constexpr std::int64_t many = 16;  // vectors from which on widening costs less than it saves

}  // namespace

PanelMatrix::PanelMatrix(Arena& arena, at::ScalarType dtype, std::int64_t inputs,
                         const std::vector<std::int64_t>& widths)
    : dtype_(dtype), element_bytes_(static_cast<std::int64_t>(at::elementSize(dtype))), inputs_(inputs) {
  first_.push_back(0);
  for (const std::int64_t width : widths) first_.push_back(first_.back() + width);
  memory_ = arena.allocate(static_cast<std::size_t>(inputs_ * outputs() * element_bytes_));
}

const void* PanelMatrix::data(std::int64_t index, std::int64_t input) const {
  return memory_.get() + (first(index) * inputs_ + input * width(index)) * element_bytes_;
}

at::Tensor PanelMatrix::panel(std::int64_t index) const {
  return at::from_blob(memory_.get() + first(index) * inputs_ * element_bytes_, {inputs_, width(index)},
                       at::TensorOptions(dtype_));
}

void PanelMatrix::multiply(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                           std::int64_t tokens, const void* next, float* wide) const {
  if (dtype_ == at::kFloat)
    multiply_as<float>(index, inputs, x, y, tokens, next, wide);
  else
    multiply_as<c10::BFloat16>(index, inputs, x, y, tokens, next, wide);
}

template <class T>
void PanelMatrix::multiply_as(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                              std::int64_t tokens, const void* next, float* wide) const {
  const KernelTable& kernel = kernels();
  const std::int64_t columns = width(index), count = inputs.end - inputs.begin;
  const T* const rows = static_cast<const T*>(data(index, inputs.begin));
  if (tokens < many) {
    const auto* const after = next != nullptr ? static_cast<const T*>(next) : rows + count * columns;
    return kernel.of<T>().multiply({rows, inputs.begin, count, columns, columns, after}, x, y, tokens);
  }
  for (std::int64_t row = 0; row < count; row += wide_rows) {
    const std::int64_t n = std::min(wide_rows, count - row);
    const float* block = wide;
    if constexpr (std::is_same_v<T, float>)
      block = rows + row * columns;
    else
      kernel.of<T>().widen(rows + row * columns, n * columns, wide);
    kernel.fp32.multiply({block, inputs.begin + row, n, columns, columns, block}, x, y, tokens);
  }
}

std::vector<std::int64_t> even_panels(std::int64_t outputs, int threads) {
  const std::int64_t units = (outputs + lanes - 1) / lanes;
  const std::int64_t share = widest_panel * threads;
  const std::int64_t panels = std::min(units, threads * ((outputs + share - 1) / share));
  std::vector<std::int64_t> widths;
  for (std::int64_t p = 0; p < panels; ++p)
    widths.push_back(std::min(units * (p + 1) / panels * lanes, outputs) - units * p / panels * lanes);
  return widths;
}

}  // namespace ladimo
