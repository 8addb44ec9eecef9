#include "convert/cholesky.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace ladimo {

at::Tensor solve_spd(at::Tensor a, const at::Tensor& b) {
  const auto [factor, info] = at::linalg_cholesky_ex(a.to(at::kDouble));
  a = at::Tensor();
  if (info.item<int>() != 0)
    throw Error("The normal equations of a layer cannot be solved: its inputs are degenerate.",
                "Use more or more varied calibration text, or a larger ridge in the recipe.");
  return at::cholesky_solve(b.to(at::kDouble), factor);
}

}  // namespace ladimo
