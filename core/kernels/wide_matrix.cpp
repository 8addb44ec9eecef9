#include "kernels/wide_matrix.h"

#include <ATen/ops/from_blob.h>

#include "kernels/kernel_table.h"

namespace ladimo {

WideMatrix::WideMatrix(Arena& arena, const at::Tensor& rows)
    : fp32_(rows.scalar_type() == at::kFloat), inputs_(rows.size(0)), outputs_(rows.size(1)) {
  constexpr std::int64_t lanes = 16;
  stride_ = (outputs_ + lanes - 1) / lanes * lanes;
  const auto element = static_cast<std::int64_t>(rows.element_size());
  memory_ = arena.allocate(static_cast<std::size_t>(inputs_ * stride_ * element));
  const at::Tensor all =
      at::from_blob(memory_.get(), {inputs_, stride_}, at::TensorOptions(rows.scalar_type()));
  all.zero_();
  all.narrow(1, 0, outputs_).copy_(rows);
}

void WideMatrix::add_rows(std::span<const std::int32_t> inputs, const float* x, float* y) const {
  const auto count = static_cast<std::int64_t>(inputs.size());
  if (fp32_)
    kernels().fp32.add_rows({reinterpret_cast<const float*>(memory_.get()), stride_, count}, inputs.data(), x,
                            y);
  else
    kernels().bf16.add_rows({reinterpret_cast<const c10::BFloat16*>(memory_.get()), stride_, count},
                            inputs.data(), x, y);
}

}  // namespace ladimo
