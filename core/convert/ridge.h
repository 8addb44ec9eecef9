// Ridge regression from normal equations.
#pragma once

#include <ATen/ATen.h>

#include "convert/cholesky.h"

namespace ladimo {

/// [T, n] -> [T, n + 1]: a last column of ones for the bias.
inline at::Tensor with_one(const at::Tensor& x) {
  return at::cat({x, at::ones({x.size(0), 1}, x.options())}, 1);
}

/// (AᵀA + λI)⁻¹ AᵀT in fp32 with λ = `ridge` times the mean of AᵀA's diagonal but for its last entry, that of
/// the bias. Throws Error when the inputs are degenerate.
inline at::Tensor ridge_solution(at::Tensor gram, const at::Tensor& moment, double ridge) {
  gram.diagonal() += ridge * gram.diagonal().slice(0, 0, gram.size(0) - 1).mean();
  return solve_spd(gram, moment).to(at::kFloat);
}

}  // namespace ladimo
