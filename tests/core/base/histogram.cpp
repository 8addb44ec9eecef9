#include "policy/histogram.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

using namespace ladimo;

TEST_CASE("every edge belongs to the bin that it opens") {
  for (int i = 1; i <= histogram_bins; ++i) {
    CHECK(histogram_index(histogram_edge(i)) == i);
    CHECK(histogram_index(std::nextafter(histogram_edge(i), 0)) == i - 1);
    CHECK(histogram_edge(i) < histogram_edge(i + 1));
  }
}

TEST_CASE("what lies outside falls into under- and overflow") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double low : {0.0, -3.0, 9.9e-5, nan}) CHECK(histogram_index(low) == 0);
  for (const double high : {10.0, 1e9, std::numeric_limits<double>::infinity()})
    CHECK(histogram_index(high) == 257);
  CHECK(histogram_index(1e-4) == 1);
  CHECK(histogram_index(9.9999) == 256);
}

TEST_CASE("bins are equally wide in log scale") {
  CHECK(histogram_edge(1) == 1e-4);
  CHECK(histogram_edge(257) == 10);
  CHECK(histogram_edge(129) == doctest::Approx(std::sqrt(1e-4 * 10)));
  CHECK(histogram_edge(2) / histogram_edge(1) == doctest::Approx(std::pow(1e5, 1 / 256.0)));
}

TEST_CASE("share above a threshold is interpolated within its bin") {
  HistogramCounts counts(histogram_bins + 2, 0);
  CHECK(share_above({}, 0.1) == 0);
  CHECK(share_above(counts, 0.1) == 0);
  counts[0] = 10;
  counts[100] = 40;
  counts[200] = 30;
  counts[257] = 20;
  CHECK(share_above(counts, -1) == 0.9);
  CHECK(share_above(counts, 1e-4) == 0.9);
  CHECK(share_above(counts, histogram_edge(100)) == doctest::Approx(0.9));
  const double middle = std::sqrt(histogram_edge(100) * histogram_edge(101));
  CHECK(share_above(counts, middle) == doctest::Approx(0.7));
  CHECK(share_above(counts, histogram_edge(101)) == doctest::Approx(0.5));
  CHECK(share_above(counts, 10) == doctest::Approx(0.2));
  CHECK(share_above(counts, 100) == doctest::Approx(0.2));
  double before = 1;
  for (double threshold = 1e-5; threshold < 20; threshold *= 1.01) {
    CHECK(share_above(counts, threshold) <= before);
    before = share_above(counts, threshold);
  }
}
