// Questions about the values of stored tensors. They are answered part by part, without copying a tensor.
#pragma once

#include "checkpoint/tensor_view.h"

namespace ladimo {

/// Whether every element of an F32, F16 or BF16 tensor is zero. Reading stops at the first that is not. False
/// for other dtypes and for a tensor without elements.
bool is_all_zero(const TensorView& tensor);

/// Whether two F32, F16 or BF16 tensors have the same shape and equal values, whatever their dtypes. Reading
/// stops at the first difference.
bool have_equal_values(const TensorView& a, const TensorView& b);

}  // namespace ladimo
