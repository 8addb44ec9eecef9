#include "kernels/panels.h"

#include <algorithm>

#include <ATen/ops/from_blob.h>

#include "kernels/q8_0.h"

namespace ladimo {
namespace {

constexpr std::int64_t lanes = 16;

}  // namespace

PanelType panel_type(const at::Tensor& weights) {
  return weights.scalar_type() == at::kFloat ? PanelType::fp32 : PanelType::bf16;
}

PanelMatrix::PanelMatrix(Arena& arena, PanelType type, std::int64_t weights, bool biased,
                         const std::vector<std::int64_t>& widths)
    : type_(type), weights_(weights), inputs_(weights + (biased ? 1 : 0)) {
  first_.push_back(0);
  for (const std::int64_t width : widths) first_.push_back(first_.back() + width);
  const bool blocks = type_ == PanelType::q8_0;
  output_bytes_ = blocks                     ? q8_0::bytes(weights_)
                  : type_ == PanelType::fp32 ? inputs_ * static_cast<std::int64_t>(sizeof(float))
                                             : inputs_ * static_cast<std::int64_t>(sizeof(c10::BFloat16));
  memory_ = arena.allocate(static_cast<std::size_t>(outputs() * output_bytes_));
  if (blocks && biased) biases_ = arena.allocate(static_cast<std::size_t>(outputs()) * sizeof(float));
}

double PanelMatrix::element_bytes() const {
  const std::int64_t bias_bytes = biases_ ? static_cast<std::int64_t>(sizeof(float)) : 0;
  return static_cast<double>(output_bytes_ + bias_bytes) / static_cast<double>(inputs_);
}

const void* PanelMatrix::data(std::int64_t index, std::int64_t input) const {
  if (type_ == PanelType::q8_0) return q8_0::scales(begin(index), width(index), input);
  return begin(index) + input * width(index) * (output_bytes_ / inputs_);
}

void PanelMatrix::set(std::int64_t index, const at::Tensor& values) {
  if (type_ == PanelType::q8_0) {
    const at::Tensor exact = values.to(at::kFloat).contiguous();
    const auto* const rows = exact.data_ptr<float>();
    q8_0::quantise(rows, weights_, width(index), begin(index));
    if (biases_)
      std::copy_n(rows + weights_ * width(index), width(index),
                  reinterpret_cast<float*>(biases_.get()) + first(index));
    return;
  }
  const auto dtype = type_ == PanelType::fp32 ? at::kFloat : at::kBFloat16;
  at::from_blob(begin(index), {inputs_, width(index)}, at::TensorOptions(dtype)).copy_(values);
}

void PanelMatrix::multiply(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                           std::int64_t tokens, const void* next) const {
  switch (type_) {
    case PanelType::fp32:
      return multiply_as<float>(index, inputs, x, y, tokens, next);
    case PanelType::bf16:
      return multiply_as<c10::BFloat16>(index, inputs, x, y, tokens, next);
    case PanelType::q8_0:
      return multiply_blocks(index, inputs, x, y, tokens, next);
  }
}

void PanelMatrix::multiply_blocks(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                                  std::int64_t tokens, const void* next) const {
  const KernelTable& kernel = kernels();
  const std::int64_t columns = width(index), stop = std::min(inputs.end, weights_);
  const std::byte* const panel = begin(index);
  if (inputs.begin < stop) {
    const void* const after = next != nullptr ? next : q8_0::row(panel, columns, stop - 1) + columns;
    const auto multiply = tokens < many ? kernel.q8_0.multiply : kernel.q8_0.multiply_many;
    multiply({panel, inputs.begin, stop - inputs.begin, columns, after}, x, y, tokens);
  }
  if (inputs.end <= weights_) return;
  const auto* const biases = reinterpret_cast<const float*>(biases_.get()) + first(index);
  kernel.fp32.multiply({biases, weights_, 1, columns, columns, biases}, x, y, tokens);
}

template <class T>
void PanelMatrix::multiply_as(std::int64_t index, Range inputs, const float* const* x, float* const* y,
                              std::int64_t tokens, const void* next) const {
  const auto& kernel = kernels().of<T>();
  const std::int64_t columns = width(index), count = inputs.end - inputs.begin;
  const T* const rows = static_cast<const T*>(data(index, inputs.begin));
  const auto* const after = next != nullptr ? static_cast<const T*>(next) : rows + count * columns;
  const auto multiply = tokens < many ? kernel.multiply : kernel.multiply_many;
  multiply({rows, inputs.begin, count, columns, columns, after}, x, y, tokens);
}

void PanelMatrix::multiply_tiles(std::int64_t index, const VectorTile* x,
                                 std::span<const std::int32_t> tokens, float* const* y,
                                 const void* next) const {
  const auto* const rows = static_cast<const c10::BFloat16*>(data(index));
  const std::int64_t columns = width(index);
  const auto* const after =
      next != nullptr ? static_cast<const c10::BFloat16*>(next) : rows + inputs_ * columns;
  kernels().tiles.multiply({rows, 0, inputs_, columns, columns, after}, x, tokens.data(), y,
                           std::ssize(tokens));
}

void PanelMatrix::multiply_chosen(std::int64_t index, std::span<const std::int32_t> inputs, const float* x,
                                  float* y, const void* next) const {
  if (type_ == PanelType::fp32) return multiply_chosen_as<float>(index, inputs, x, y, next);
  if (type_ == PanelType::bf16) return multiply_chosen_as<c10::BFloat16>(index, inputs, x, y, next);
  const std::byte* const panel = begin(index);
  const bool biased = !inputs.empty() && inputs.back() == weights_;
  const auto count = std::ssize(inputs) - (biased ? 1 : 0);
  kernels().q8_0.multiply_chosen({panel, 0, count, width(index), next != nullptr ? next : data(index, 0)},
                                 inputs.data(), x, y);
  if (biased) multiply_blocks(index, {weights_, inputs_}, &x, &y, 1, next);
}

template <class T>
void PanelMatrix::multiply_chosen_as(std::int64_t index, std::span<const std::int32_t> inputs, const float* x,
                                     float* y, const void* next) const {
  const T* const rows = static_cast<const T*>(data(index));
  const std::int64_t columns = width(index);
  const auto* const after = next != nullptr ? static_cast<const T*>(next) : rows + inputs_ * columns;
  kernels().of<T>().multiply_chosen({rows, 0, std::ssize(inputs), columns, columns, after}, inputs.data(), x,
                                    y);
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
