#include "policy/perplexity_change.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace ladimo;

TEST_CASE("a change has a sign and three digits") {
  CHECK(change_in_words(1.0362) == "+3.62 %");
  CHECK(change_in_words(1) == "+0 %");
  CHECK(change_in_words(0.9) == "−10.0 %");
}

TEST_CASE("a predicted perplexity is compared with the dense model's on the same text") {
  TradeoffTable table;
  table.dense_nll = std::log(20);
  PolicyNumbers predicted;
  predicted.perplexity = 21;
  CHECK(perplexity_ratio(table, predicted) == doctest::Approx(1.05));
}
