#include "base/correlation.h"

#include <vector>

#include <doctest/doctest.h>

using namespace ladimo;

TEST_CASE("Pearson's correlation is 1 on a rising line, -1 on a falling one") {
  const std::vector<double> a = {1, 2, 3, 4}, rising = {3, 5, 7, 9}, falling = {8, 6, 4, 2};
  CHECK(correlation(a, rising).value() == doctest::Approx(1));
  CHECK(correlation(a, falling).value() == doctest::Approx(-1));
}

TEST_CASE("correlations are those of scipy.stats (pearsonr, spearmanr), with ties too") {
  const std::vector<double> a = {1, 2, 2, 3, 10}, b = {2, 1, 4, 4, 5};
  CHECK(correlation(a, b).value() == doctest::Approx(0.6841891049064036));
  CHECK(rank_correlation(a, b).value() == doctest::Approx(0.7631578947368421));
}

TEST_CASE("constant values have no correlation") {
  const std::vector<double> a = {1, 2, 3}, constant = {0.1, 0.1, 0.1};  // their mean rounds to another value
  CHECK(!correlation(a, constant));
  CHECK(!rank_correlation(constant, a));
  CHECK(!correlation({}, {}));
}
