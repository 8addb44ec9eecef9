// The one timing harness: latency table and benchmarks alike.
#pragma once

#include <functional>
#include <vector>

namespace ladimo {

/// Seconds of one call.
struct Timing {
  double median = 0;
  double noise = 0;  // half of the range of the middle half of all calls, as a share of the median
};

/// Times one call of each function. They take turns, so a machine that drifts drifts for all of
/// them alike; at least `minimum_rounds` rounds after one warm-up, more while `budget_s` lasts.
std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                  double budget_s);

/// The medians alone.
std::vector<double> median_seconds(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                   double budget_s);

}  // namespace ladimo
