// Histograms of routing weights. All layers and steps use the same bins, so their counts can be added.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ladimo {

inline constexpr int histogram_bins = 256;  // log-spaced from 1e-4 to 10
inline constexpr double histogram_low = 1e-4;
inline constexpr double histogram_high = 10;
inline constexpr std::string_view histogram_edges_id = "log10:-4:1:256";

/// Counts: [0] underflow (zero and negative weights too), [1 ... 256] the bins, [257] overflow.
using HistogramCounts = std::vector<std::int64_t>;

/// The index of a routing weight in HistogramCounts. NaN counts as underflow.
int histogram_index(double weight);
/// The lower edge of bin `index` (1 ... 256; 257 gives the upper end), without a unit like the routing
/// weight.
double histogram_edge(int index);
/// The share of counts at or above `threshold`, interpolated within its bin in log scale. Empty counts give
/// 0.
double share_above(const HistogramCounts& counts, double threshold);
/// The threshold at or above which `share` of the counts are, between histogram_low and histogram_high.
double threshold_of_share(const HistogramCounts& counts, double share);

}  // namespace ladimo
