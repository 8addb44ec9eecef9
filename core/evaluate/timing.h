// The one timing harness: latency table and benchmarks alike.
#pragma once

#include <functional>
#include <vector>

namespace ladimo {

/// Median seconds of one call of each function. They take turns, so a machine that drifts drifts for all of
/// them alike; at least `minimum_rounds` rounds after one warm-up, more while `budget_s` lasts.
std::vector<double> median_seconds(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                   double budget_s);

}  // namespace ladimo
