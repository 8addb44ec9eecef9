// Monotone curves through measured points, for interpolation between them and against noise.
#pragma once

#include <vector>

namespace ladimo {

/// A monotone piecewise cubic through points of rising x (Fritsch and Carlson 1980), constant outside them.
/// Precondition: at least one point, x strictly rising.
class MonotoneCurve {
 public:
  MonotoneCurve(std::vector<double> x, std::vector<double> y);
  double operator()(double x) const;

 private:
  std::vector<double> x_, y_, slope_;
};

/// The values at `x` of the curve a + b x + c x (l - x), with l the last x, that is closest to `y` in the sum
/// of squares and rises ever more slowly: b >= 0 and 0 <= c <= b / l. Precondition: x rises from 0 or more.
std::vector<double> rising_concave(const std::vector<double>& x, const std::vector<double>& y);

/// The non-decreasing values that are closest to `y` in the sum of squares (pool adjacent violators).
std::vector<double> rising(const std::vector<double>& y);

}  // namespace ladimo
