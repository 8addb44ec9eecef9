#include "evaluate/timing.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <torch/cuda.h>

namespace ladimo {
namespace {

/// A GPU call returns before its work is done, so the timing waits for it.
double seconds_of(const std::function<void()>& function) {
  const bool gpu = torch::cuda::is_available();
  if (gpu) torch::cuda::synchronize();
  const auto start = std::chrono::steady_clock::now();
  function();
  if (gpu) torch::cuda::synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double quantile(const std::vector<double>& sorted, std::size_t quarter) {
  return sorted[(sorted.size() - 1) * quarter / 4];
}

Timing summarise(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const double median = quantile(seconds, 2);
  return {median, median > 0 ? (quantile(seconds, 3) - quantile(seconds, 1)) / (2 * median) : 0};
}

}  // namespace

std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                  double budget_s) {
  for (const auto& function : functions) function();
  std::vector<std::vector<double>> times(functions.size());
  double spent = 0;
  for (int round = 0; round < minimum_rounds || spent < budget_s; ++round)
    for (std::size_t i = 0; i < functions.size(); ++i) {
      times[i].push_back(seconds_of(functions[i]));
      spent += times[i].back();
    }
  std::vector<Timing> timings;
  for (auto& seconds : times) timings.push_back(summarise(std::move(seconds)));
  return timings;
}

std::vector<double> median_seconds(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                   double budget_s) {
  std::vector<double> medians;
  for (const Timing& timing : time_in_turns(functions, minimum_rounds, budget_s))
    medians.push_back(timing.median);
  return medians;
}

}  // namespace ladimo
