#include "model/routing_weights.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

namespace ladimo {

HistogramCounts count_weights(const at::Tensor& routing_weights) {
  const double low = std::log10(histogram_low), high = std::log10(histogram_high);
  const auto weights = routing_weights.flatten().to(at::kFloat).nan_to_num(0.0).clamp_min(1e-30);
  const auto position = (weights.log10() - low) * (histogram_bins / (high - low));
  const auto index = (position.floor() + 1).clamp(0, histogram_bins + 1).to(at::kLong);
  const auto counts = index.bincount({}, histogram_bins + 2).to(at::kCPU);
  return {counts.data_ptr<std::int64_t>(), counts.data_ptr<std::int64_t>() + counts.numel()};
}

std::vector<double> thresholds_at(const at::Tensor& routing_weights, const std::vector<double>& levels) {
  // A million values determine a quantile to a thousandth; sorting all of them would cost more than the fit.
  // Whole rows are taken, so that every expert counts equally.
  const auto stride = std::max<std::int64_t>(1, routing_weights.numel() / 1'000'000);
  const auto rows = routing_weights.slice(0, 0, routing_weights.size(0), stride);
  const auto sorted = std::get<0>(rows.flatten().to(at::kCPU, at::kFloat).sort());
  const auto* values = sorted.data_ptr<float>();
  std::vector<double> thresholds;
  for (const double level : levels) {
    const auto rank = static_cast<std::int64_t>((1 - level) * static_cast<double>(sorted.numel()));
    thresholds.push_back(values[std::clamp<std::int64_t>(rank, 0, sorted.numel() - 1)]);
  }
  return thresholds;
}

at::Tensor ranks(const at::Tensor& routing_weights) {
  const auto order = std::get<1>(at::sort(routing_weights, /*stable=*/true, 1, /*descending=*/true));
  const auto place = -at::arange(routing_weights.size(1), routing_weights.options().dtype(at::kFloat));
  return at::zeros_like(routing_weights, at::kFloat).scatter(1, order, place.expand_as(order));
}

}  // namespace ladimo
