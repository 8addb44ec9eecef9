// The timing harness of the latency table and the benchmarks.
#pragma once

#include <functional>
#include <vector>

namespace ladimo {

/// The time of one call in seconds.
struct Timing {
  double median = 0;
  double noise = 0;  // half of the range of the middle half of all calls, as a share of the median
};

/// Times one call of each function. The functions take turns, so a machine whose speed drifts affects all of
/// them alike. With three functions or more the drift from round to round is also divided out. There are at
/// least `minimum_rounds` rounds after one warm-up, and more while `budget_s` lasts.
/// The environment variable LADIMO_FEW_TIMING_ROUNDS leaves it at that.
std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                  double budget_s);

/// The medians of time_in_turns().
std::vector<double> median_seconds(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                   double budget_s);

}  // namespace ladimo
