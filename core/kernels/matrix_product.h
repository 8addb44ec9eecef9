// Products of large fp32 matrices with Intel AMX, about twice as fast as with AVX-512.
#pragma once

#include <cstdint>

namespace ladimo {

/// An fp32 matrix as a product sees it: rows whose inputs are summed over.
struct Operand {
  const float* data;
  std::int64_t rows, inputs;
  std::int64_t row_stride, input_stride;  // elements; one of them is 1
};

/// Whether this processor has what multiply_large() needs.
bool can_multiply_large();

/// c [a.rows, b.rows] = a b^T, or c + a b^T with `add`; rows of c are `stride` floats apart. Factors are
/// exact to 2^-17 of each, sums are fp32. All threads of libtorch work on it. a.inputs is b.inputs.
void multiply_large(const Operand& a, const Operand& b, float* c, std::int64_t stride, bool add);

}  // namespace ladimo
