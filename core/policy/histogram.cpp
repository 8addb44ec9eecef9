#include "policy/histogram.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace ladimo {
namespace {

const double low_exponent = std::log10(histogram_low);
const double bins_per_decade = histogram_bins / (std::log10(histogram_high) - low_exponent);

/// The position of a weight on the axis of bins: 0 is the lower end, histogram_bins the upper end.
double position(double weight) { return (std::log10(weight) - low_exponent) * bins_per_decade; }

std::array<double, histogram_bins + 1> make_edges() {
  std::array<double, histogram_bins + 1> edges{};
  for (std::size_t i = 0; i < edges.size(); ++i)
    edges[i] = std::pow(10.0, low_exponent + static_cast<double>(i) / bins_per_decade);
  edges.front() = histogram_low;
  edges.back() = histogram_high;
  return edges;
}

const std::array<double, histogram_bins + 1>& edges() {
  static const auto all = make_edges();
  return all;
}

}  // namespace

int histogram_index(double weight) {
  if (!(weight >= histogram_low)) return 0;
  if (weight >= histogram_high) return histogram_bins + 1;
  int bin = std::clamp(static_cast<int>(position(weight)), 0, histogram_bins - 1);
  // The logarithm rounds, so the bin is checked against its edges: a weight on an edge falls into the bin
  // above.
  if (weight < edges()[static_cast<std::size_t>(bin)]) --bin;
  if (weight >= edges()[static_cast<std::size_t>(bin) + 1]) ++bin;
  return bin + 1;
}

double histogram_edge(int index) {
  return edges()[static_cast<std::size_t>(std::clamp(index, 1, histogram_bins + 1) - 1)];
}

double threshold_of_share(const HistogramCounts& counts, double share) {
  double low = std::log(histogram_low), high = std::log(histogram_high);
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (share_above(counts, std::exp(middle)) >= share ? low : high) = middle;
  }
  return std::exp(low);
}

double share_above(const HistogramCounts& counts, double threshold) {
  const auto sum = [&](int first) {
    return static_cast<double>(std::accumulate(counts.begin() + first, counts.end(), std::int64_t{0}));
  };
  const double total = counts.empty() ? 0 : sum(0);
  if (total <= 0) return 0;
  const double inside = std::clamp(threshold, histogram_low, histogram_high);
  const int index = histogram_index(inside);
  if (index > histogram_bins) return sum(index) / total;
  const double into_bin = std::clamp(position(inside) - (index - 1), 0.0, 1.0);
  const double of_bin = static_cast<double>(counts[static_cast<std::size_t>(index)]) * (1 - into_bin);
  return (sum(index + 1) + of_bin) / total;
}

}  // namespace ladimo
