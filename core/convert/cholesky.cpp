#include "convert/cholesky.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace ladimo {

at::Tensor solve_spd(at::Tensor a, const at::Tensor& b) {
  // LAPACK works in place on column-major matrices, which the transpose of a symmetric one is.
  auto factor = a.t();
  auto info = at::empty({}, a.options().dtype(at::kInt));
  at::linalg_cholesky_ex_out(factor, info, factor);
  if (info.item<int>() != 0)
    throw Error("The normal equations of a layer cannot be solved: its inputs are degenerate.",
                "Use more or more varied calibration text, or a larger ridge in the recipe.");
  auto x = at::empty_strided(b.sizes(), {1, b.size(0)}, a.options()).copy_(b);
  at::linalg_solve_triangular_out(x, factor, x, false);
  at::linalg_solve_triangular_out(x, factor.t(), x, true);
  return x;
}

}  // namespace ladimo
