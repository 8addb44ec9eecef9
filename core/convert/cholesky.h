// Solves symmetric positive definite systems.
#pragma once

#include <ATen/core/Tensor.h>

namespace ladimo {

/// A number that is added to the diagonal of every Gram matrix beside its ridge. Columns so small that their
/// squares vanish in fp32 then give a solution (about zero) instead of none.
inline constexpr double least_ridge = 1e-36;

/// Solves `a` x = `b` in fp64 by Cholesky. a [n, n] is fp64 and contiguous, with both triangles filled in. It
/// is overwritten by its factor instead of copied, because it takes a gigabyte for the FFN of a big model. b
/// [n, k]. Throws Error when `a` is not positive definite.
at::Tensor solve_spd(at::Tensor a, const at::Tensor& b);

}  // namespace ladimo
