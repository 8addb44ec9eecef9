// JSON of evaluations, compared but for rounding.
#pragma once

#include <algorithm>
#include <cmath>
#include <iterator>

#include <nlohmann/json.hpp>

namespace ladimo::testing {

/// Whether two values are equal, but for the rounding of numbers: whether `eval` masks skipped experts or
/// leaves them out follows from measured times and changes the last digits (evaluate/skipping_ffn.h).
inline bool same_numbers(const nlohmann::json& a, const nlohmann::json& b) {
  if (a.is_number() && b.is_number()) {
    const double x = a.get<double>(), y = b.get<double>();
    return std::abs(x - y) <= 1e-5 * std::max({std::abs(x), std::abs(y), 1e-6});
  }
  if (!a.is_structured() || !b.is_structured()) return a == b;
  if (a.size() != b.size() || a.type() != b.type()) return false;
  const auto left = a.items(), right = b.items();
  return std::equal(left.begin(), left.end(), right.begin(), [](const auto& one, const auto& other) {
    return one.key() == other.key() && same_numbers(one.value(), other.value());
  });
}

}  // namespace ladimo::testing
