// Solves symmetric positive definite systems.
#pragma once

#include <ATen/core/Tensor.h>

namespace ladimo {

/// Solves `a` x = `b` in fp64 by Cholesky. a [n, n] is fp64 and contiguous, with both triangles filled in. It
/// is overwritten by its factor instead of copied, because it takes a gigabyte for the FFN of a big model. b
/// [n, k]. Throws Error when `a` is not positive definite.
at::Tensor solve_spd(at::Tensor a, const at::Tensor& b);

}  // namespace ladimo
