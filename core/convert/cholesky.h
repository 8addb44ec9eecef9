// Solves symmetric positive definite systems.
#pragma once

#include <ATen/core/Tensor.h>

namespace ladimo {

/// Solves `a` x = `b` in fp64 by Cholesky. a [n, n], b [n, k]. `a` is freed once it is factorised, because it
/// takes a gigabyte for the FFN of a big model. Throws Error when `a` is not positive definite.
at::Tensor solve_spd(at::Tensor a, const at::Tensor& b);

}  // namespace ladimo
