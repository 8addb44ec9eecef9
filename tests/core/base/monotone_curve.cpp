#include "policy/monotone_curve.h"

#include <algorithm>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"

using namespace ladimo;

TEST_CASE("a curve passes through its points, is constant outside and straight through a line") {
  const MonotoneCurve line({1, 2, 4}, {10, 20, 40});
  for (const double x : {1.0, 1.3, 2.0, 3.7, 4.0}) CHECK(line(x) == doctest::Approx(10 * x));
  CHECK(line(0) == 10);
  CHECK(line(9) == 40);
  const MonotoneCurve single({3}, {7});
  CHECK(single(-1) == 7);
  CHECK(single(5) == 7);
}

TEST_CASE("between two points a curve never leaves their range, rising or falling") {
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<double> x{0}, y{0};
    const double sign = round % 2 == 0 ? 1 : -1;
    for (int i = 0; i < 8; ++i) {
      x.push_back(x.back() + 0.01 + random.uniform());
      const double step = random.uniform();
      y.push_back(y.back() + sign * (step < 0.3 ? 0 : step * step * step * 100));
    }
    const MonotoneCurve curve(x, y);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(curve(x[i]) == y[i]);
    double before = sign * curve(0);
    for (int step = 0; step <= 1000; ++step) {
      const double now = sign * curve(x.back() * step / 1000);
      REQUIRE(now >= before - 1e-12);
      before = now;
    }
  }
}

TEST_CASE("a rising concave curve through noisy values") {
  // A line stays a line, and what bends the wrong way or falls becomes one.
  const std::vector<double> x = {0, 5, 12, 48};
  const auto near = [](const std::vector<double>& found, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[i] == doctest::Approx(expected[i]));
  };
  near(rising_concave(x, {1, 2, 3.4, 10.6}), {1, 2, 3.4, 10.6});
  near(rising_concave(x, {4, 3, 2, 1}), {2.5, 2.5, 2.5, 2.5});
  near(rising_concave({0, 1, 2, 3, 4}, {0, 1.75, 3, 3.75, 4}), {0, 1.75, 3, 3.75, 4});  // 2 x - x^2 / 4
  const auto convex = rising_concave({0, 1, 2}, {0, 0.5, 2});
  CHECK(convex[1] - convex[0] == doctest::Approx(convex[2] - convex[1]));
  near(rising_concave({3}, {7}), {7});
}

TEST_CASE("pooling makes noisy values ascend") {
  CHECK(rising({}).empty());
  CHECK(rising({1, 2, 3}) == std::vector<double>{1, 2, 3});
  CHECK(rising({1, 3, 2, 4}) == std::vector<double>{1, 2.5, 2.5, 4});
  CHECK(rising({3, 2, 1}) == std::vector<double>{2, 2, 2});
  CHECK(rising({1, 5, 4, 0}) == std::vector<double>{1, 3, 3, 3});
}
