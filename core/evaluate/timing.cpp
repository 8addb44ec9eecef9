#include "evaluate/timing.h"

#include <algorithm>
#include <chrono>

namespace ladimo {
namespace {

double seconds_of(const std::function<void()>& function) {
  const auto start = std::chrono::steady_clock::now();
  function();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

std::vector<double> median_seconds(const std::vector<std::function<void()>>& functions, int minimum_rounds,
                                   double budget_s) {
  for (const auto& function : functions) function();
  std::vector<std::vector<double>> times(functions.size());
  double spent = 0;
  for (int round = 0; round < minimum_rounds || spent < budget_s; ++round)
    for (std::size_t i = 0; i < functions.size(); ++i) {
      times[i].push_back(seconds_of(functions[i]));
      spent += times[i].back();
    }
  std::vector<double> medians;
  for (auto& t : times) {
    const auto middle = t.begin() + static_cast<std::ptrdiff_t>(t.size() / 2);
    std::nth_element(t.begin(), middle, t.end());
    medians.push_back(*middle);
  }
  return medians;
}

}  // namespace ladimo
