#include "evaluate/timing.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
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

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile(values, 2);
}

/// Divides every round by how much slower it was than the others: the median, over all functions, of the time
/// over the function's median.
void remove_drift(std::vector<std::vector<double>>& times) {
  std::vector<double> medians;
  for (const auto& seconds : times) medians.push_back(std::max(median_of(seconds), 1e-9));
  for (std::size_t round = 0; round < times.front().size(); ++round) {
    std::vector<double> slower;
    for (std::size_t i = 0; i < times.size(); ++i) slower.push_back(times[i][round] / medians[i]);
    const double factor = std::max(median_of(std::move(slower)), 1e-9);
    for (auto& seconds : times) seconds[round] /= factor;
  }
}

Timing summarise(std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  const double median = quantile(seconds, 2);
  return {median, median > 0 ? (quantile(seconds, 3) - quantile(seconds, 1)) / (2 * median) : 0};
}

/// Tests, which do not judge times, set the variable: most of a small conversion would be timing.
bool few_rounds_do() {
  const char* text = std::getenv("LADIMO_FEW_TIMING_ROUNDS");
  return text != nullptr && *text != '\0';
}

}  // namespace

std::vector<Timing> time_in_turns(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                  double budget_s) {
  if (few_rounds_do()) budget_s = 0;
  for (const auto& function : functions) function();
  std::vector<std::vector<double>> times(functions.size());
  double spent = 0;
  for (int round = 0; round < minimum_rounds || spent < budget_s; ++round)
    for (std::size_t i = 0; i < functions.size(); ++i) {
      times[i].push_back(seconds_of(functions[i]));
      spent += times[i].back();
    }
  constexpr std::size_t enough_functions = 3;  // to tell a slow round from a slow function
  if (functions.size() >= enough_functions) remove_drift(times);
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
