// Statistics of routing weights on any device.
#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "policy/histogram.h"

namespace ladimo {

/// Counts routing weights (any shape) into the common bins.
HistogramCounts count_weights(const at::Tensor& routing_weights);

/// Thresholds at which the given shares of (token, expert) pairs are on. routing_weights [T, E].
std::vector<double> thresholds_at(const at::Tensor& routing_weights, const std::vector<double>& levels);

/// The place of every expert in its row, as numbers of which a threshold makes top-k: 0 for the greatest
/// weight, -1 for the next. Of equal ones the first is greater. [T, E] fp32.
at::Tensor ranks(const at::Tensor& routing_weights);

}  // namespace ladimo
