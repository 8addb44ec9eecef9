#include "policy/monotone_curve.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

namespace ladimo {

MonotoneCurve::MonotoneCurve(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)), slope_(x_.size(), 0.0) {
  const std::size_t n = x_.size();
  if (n < 2) return;
  std::vector<double> secant(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) secant[i] = (y_[i + 1] - y_[i]) / (x_[i + 1] - x_[i]);
  slope_.front() = secant.front();
  slope_.back() = secant.back();
  for (std::size_t i = 1; i + 1 < n; ++i)
    slope_[i] = secant[i - 1] * secant[i] > 0 ? (secant[i - 1] + secant[i]) / 2 : 0;
  // A cubic piece is monotone when its slopes are inside a circle of radius 3 secants.
  for (std::size_t i = 0; i + 1 < n; ++i) {
    if (secant[i] == 0) {
      slope_[i] = slope_[i + 1] = 0;
      continue;
    }
    const double radius = std::hypot(slope_[i] / secant[i], slope_[i + 1] / secant[i]);
    if (radius <= 3) continue;
    slope_[i] *= 3 / radius;
    slope_[i + 1] *= 3 / radius;
  }
}

double MonotoneCurve::operator()(double x) const {
  if (x <= x_.front()) return y_.front();
  if (x >= x_.back()) return y_.back();
  const auto i = static_cast<std::size_t>(std::ranges::upper_bound(x_, x) - x_.begin()) - 1;
  if (x == x_[i]) return y_[i];
  const double width = x_[i + 1] - x_[i];
  const double t = (x - x_[i]) / width;
  const double from_left = t * t * (3 - 2 * t);
  return y_[i] + (y_[i + 1] - y_[i]) * from_left +
         width * t * (1 - t) * ((1 - t) * slope_[i] - t * slope_[i + 1]);
}

namespace {

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The values of a + b u that are closest to `y`, with b >= 0.
struct Line {
  std::vector<double> values;
  double slope = 0, error = 0;  // the sum of squares

  Line(const std::vector<double>& u, const std::vector<double>& y) {
    const double mean_u = mean(u), mean_y = mean(y);
    double along = 0, spread = 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      along += (u[i] - mean_u) * (y[i] - mean_y);
      spread += (u[i] - mean_u) * (u[i] - mean_u);
    }
    slope = spread > 0 ? std::max(0.0, along / spread) : 0;
    for (std::size_t i = 0; i < u.size(); ++i) {
      values.push_back(mean_y + slope * (u[i] - mean_u));
      error += (values[i] - y[i]) * (values[i] - y[i]);
    }
  }
};

}  // namespace

std::vector<double> rising_concave(const std::vector<double>& x, const std::vector<double>& y) {
  // With c = bend b / l the curve is a line in u = x + bend x (l - x) / l, so only the bend is searched for.
  constexpr int steps = 64;
  std::optional<Line> best;
  for (int step = 0; step <= steps; ++step) {
    const double bend = static_cast<double>(step) / steps;
    std::vector<double> u;
    for (const double value : x) u.push_back(value + bend * value * (1 - value / std::max(x.back(), 1e-12)));
    Line line(u, y);
    if (!best || line.error < best->error) best = std::move(line);
  }
  return best->values;
}

std::vector<double> rising(const std::vector<double>& y) {
  struct Pool {
    double sum;
    std::size_t count;
    double mean() const { return sum / static_cast<double>(count); }
  };
  std::vector<Pool> pools;
  for (const double value : y) {
    pools.push_back({value, 1});
    while (pools.size() > 1 && pools[pools.size() - 2].mean() > pools.back().mean()) {
      pools[pools.size() - 2].sum += pools.back().sum;
      pools[pools.size() - 2].count += pools.back().count;
      pools.pop_back();
    }
  }
  std::vector<double> result;
  for (const Pool& pool : pools) result.insert(result.end(), pool.count, pool.mean());
  return result;
}

}  // namespace ladimo
