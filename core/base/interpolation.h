// Piecewise linear interpolation.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace ladimo {

/// Returns i where `at` falls on the line between points i - 1 and i of `x`. Values outside `x` belong to the
/// first or last line. Precondition: at least two points, x rising.
template <class T>
std::size_t line_at(std::span<const T> x, T at) {
  const auto reached = static_cast<std::size_t>(std::ranges::lower_bound(x, at) - x.begin());
  return std::clamp<std::size_t>(reached, 1, x.size() - 1);
}

/// Interpolates linearly between the points and extrapolates along the first and last line. A single point
/// gives a constant. Precondition: x rises strictly.
inline double interpolate(std::span<const double> x, std::span<const double> y, double at) {
  if (x.size() == 1) return y.front();
  const auto i = line_at(x, at);
  if (at == x[i]) return y[i];
  return y[i - 1] + (y[i] - y[i - 1]) * (at - x[i - 1]) / (x[i] - x[i - 1]);
}

}  // namespace ladimo
