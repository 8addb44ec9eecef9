// Ridge regression from normal equations.
#pragma once

#include <cstdint>
#include <utility>

#include <ATen/ATen.h>

#include "convert/cholesky.h"

namespace ladimo {

/// Appends a column of ones for the bias: [T, n] -> [T, n + 1].
inline at::Tensor with_one(const at::Tensor& x) {
  return at::cat({x, at::ones({x.size(0), 1}, x.options())}, 1);
}

/// Adds AᵀA to `gram` [n, n], with a [T, n]. Only the diagonal and the entries to its right are
/// computed, which is little more than half of the work. mirror() fills in the rest at the end.
inline void add_gram(at::Tensor& gram, const at::Tensor& a) {
  constexpr std::int64_t block = 128;
  for (std::int64_t i = 0; i < a.size(1); i += block)
    gram.slice(0, i, i + block).slice(1, i).add_(at::mm(a.slice(1, i, i + block).t(), a.slice(1, i)));
}

/// Copies the entries right of the diagonal to its left, in place.
inline void mirror(at::Tensor& gram) {
  constexpr std::int64_t block = 128;
  for (std::int64_t i = 0; i < gram.size(0); i += block) {
    const auto rows = gram.slice(0, i, i + block);
    const auto square = rows.slice(1, i, i + block);
    square.copy_(at::triu(square) + at::triu(square, 1).t());
    gram.slice(0, i + block).slice(1, i, i + block).copy_(rows.slice(1, i + block).t());
  }
}

/// (AᵀA + λI)⁻¹ AᵀT in fp32, with AᵀA as add_gram() leaves it. λ is `ridge` times the mean of the diagonal of
/// AᵀA without its last entry, which may belong to a bias. Throws Error when the inputs are not finite.
inline at::Tensor ridge_solution(at::Tensor gram, const at::Tensor& moment, double ridge) {
  mirror(gram);
  gram.diagonal() += ridge * gram.diagonal().slice(0, 0, gram.size(0) - 1).mean() + least_ridge;
  return solve_spd(std::move(gram), moment).to(at::kFloat);
}

/// (AᵀA + Λ)⁻¹ (AᵀY - AᵀA W0), what is added to the solution W0 [n, k] in fp32. gram = AᵀA, with both
/// triangles filled in, moment = AᵀY, both fp64. Λ is diagonal: Λ_j = ridge * max((AᵀA)_jj, median of the
/// diagonal). Throws Error where that cannot be solved.
inline at::Tensor ridge_correction(at::Tensor gram, at::Tensor moment, const at::Tensor& initial,
                                   double ridge) {
  moment -= at::mm(gram, initial.to(at::kDouble));
  const auto diagonal = gram.diagonal().clone();
  gram.diagonal() += ridge * at::maximum(diagonal, diagonal.median()) + least_ridge;
  return solve_spd(std::move(gram), moment).to(at::kFloat);
}

}  // namespace ladimo
