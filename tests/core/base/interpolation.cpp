#include "base/interpolation.h"

#include <vector>

#include <doctest/doctest.h>

using namespace ladimo;

TEST_CASE("values lie on straight lines between the points, and on the outer lines beyond them") {
  const std::vector<double> x = {1, 2, 4}, y = {10, 30, 20};
  CHECK(interpolate(x, y, 1) == 10);
  CHECK(interpolate(x, y, 1.25) == doctest::Approx(15));
  CHECK(interpolate(x, y, 2) == 30);
  CHECK(interpolate(x, y, 3) == doctest::Approx(25));
  CHECK(interpolate(x, y, 4) == 20);
  CHECK(interpolate(x, y, 0) == doctest::Approx(-10));
  CHECK(interpolate(x, y, 6) == doctest::Approx(10));
}

TEST_CASE("a single point gives a constant") {
  const std::vector<double> x = {3}, y = {7};
  CHECK(interpolate(x, y, -100) == 7);
  CHECK(interpolate(x, y, 100) == 7);
}

TEST_CASE("a segment is numbered by its right end") {
  const std::vector<float> x = {0.1F, 0.2F, 0.2F, 0.5F};
  CHECK(line_at<float>(x, 0.05F) == 1);
  CHECK(line_at<float>(x, 0.2F) == 1);
  CHECK(line_at<float>(x, 0.3F) == 3);
  CHECK(line_at<float>(x, 9.0F) == 3);
}
