// Symmetric positive definite systems.
#pragma once

#include <ATen/core/Tensor.h>

namespace ladimo {

/// Solves `a` x = `b` in fp64 by Cholesky. a [n, n], b [n, k]. Throws Error when `a` is not positive
/// definite.
at::Tensor solve_spd(const at::Tensor& a, const at::Tensor& b);

}  // namespace ladimo
