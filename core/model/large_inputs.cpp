#include "model/large_inputs.h"

#include <ATen/TensorOperators.h>

namespace ladimo {
namespace {

at::Tensor keep_where(const at::Tensor& x, const at::Tensor& size, double threshold,
                      const at::Tensor& first) {
  at::Tensor small = size < threshold;
  if (first.defined()) {
    const at::Tensor rows = small.view({-1, small.size(-1)});
    rows.masked_fill_(first.reshape({-1, 1}), false);
  }
  return x.masked_fill(small, 0);
}

}  // namespace

at::Tensor large_inputs(const at::Tensor& x, double threshold, const at::Tensor& first) {
  return threshold > 0 ? keep_where(x, x.abs(), threshold, first) : x;
}

at::Tensor large_neurons(const at::Tensor& h, const at::Tensor& norm, double threshold,
                         const at::Tensor& first) {
  return threshold > 0 ? keep_where(h, h.abs() * norm, threshold, first) : h;
}

at::Tensor used_inputs(const at::Tensor& x) {
  return (x != 0).sum(-1, /*keepdim=*/false, at::kFloat).flatten();
}

}  // namespace ladimo
