// First and second moments of the hidden neurons h = silu(gate x) * (up x).
#pragma once

#include <ATen/core/Tensor.h>

#include "base/context.h"
#include "model/feed_forward.h"
#include "stream/layer_rows.h"

namespace ladimo {

struct HiddenStatistics {
  at::Tensor mean;             // [f] E[h_j]
  at::Tensor square;           // [f] E[h_j^2]
  at::Tensor down_norm;        // [f] L2 norm of neuron j's column of the down projection
  double output_norm = 0;      // E ||FFN(x)||_2; 1 where the output is zero on this text
  double output_variance = 0;  // E ||FFN(x) - E FFN(x)||^2; 1 where the output is constant on this text

  /// The energy of every neuron: e_j = E[h_j^2] ||W_d[:, j]||^2. [f]
  at::Tensor energy() const;
};

HiddenStatistics measure_hidden(const DenseFfn& ffn, const LayerRows& rows, const Context& context);

/// E ||FFN(x) - E FFN(x)||^2 over the rows.
double output_variance(const LayerRows& rows, const Context& context);

}  // namespace ladimo
