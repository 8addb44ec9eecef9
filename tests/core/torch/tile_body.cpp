// Products by tiles, with tiles in software: processors that have matrix registers run the same code with
// them, and tests/core/torch/kernels.cpp compares it with the other variants there.
#include "kernels/tile_body.h"

#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "software_tiles.h"

using namespace ladimo;
using ladimo::testing::SoftwareTiles;

namespace {

void check_tiles(std::int64_t width, std::int64_t tokens, std::int64_t count) {
  CAPTURE(width);
  CAPTURE(tokens);
  CAPTURE(count);
  const std::int64_t first = 3, inputs = first + count, stride = width + 2;
  Random random(width * 1000 + count, "tiles");
  const auto value = [&] { return static_cast<float>(2 * random.uniform() - 1); };
  std::vector<c10::BFloat16> rows;
  for (std::int64_t i = 0; i < count * stride + 16; ++i) rows.emplace_back(value());
  std::vector<float> x, y;
  for (std::int64_t i = 0; i < tokens * inputs; ++i) x.push_back(value());
  for (std::int64_t i = 0; i < tokens * width + 1; ++i) y.push_back(value());
  const auto before = y;
  std::vector<const float*> from;
  std::vector<float*> to;
  for (std::int64_t t = 0; t < tokens; ++t) {
    from.push_back(x.data() + t * inputs);
    to.push_back(y.data() + t * width);
  }
  body::multiply_tiles<SoftwareTiles>({rows.data(), first, count, width, stride, rows.data()}, from.data(),
                                      to.data(), tokens);
  const auto at = [](const auto& values, std::int64_t i) {
    return static_cast<double>(static_cast<float>(values[static_cast<std::size_t>(i)]));
  };
  double furthest = 0;
  for (std::int64_t t = 0; t < tokens; ++t)
    for (std::int64_t c = 0; c < width; ++c) {
      double expected = at(before, t * width + c), size = std::abs(expected);
      for (std::int64_t i = 0; i < count; ++i) {
        const double product = at(x, t * inputs + first + i) * at(rows, i * stride + c);
        expected += product;
        size += std::abs(product);
      }
      furthest = std::max(furthest, std::abs(at(y, t * width + c) - expected) / size);
    }
  CHECK(furthest < 0x1p-16);         // the two parts of a vector are exact to 2^-17
  CHECK(y.back() == before.back());  // must not be written
}

}  // namespace

TEST_CASE("products by tiles compute the formula for every width, number of vectors and of inputs") {
  for (const std::int64_t width : {1, 16, 17, 31, 48, 64, 95, 96})
    for (const std::int64_t tokens : {1, 16, 33, 70})
      for (const std::int64_t count : {1, 24, 33, 256, 300, 700}) check_tiles(width, tokens, count);
}

TEST_CASE("products by tiles keep infinities and NaNs out of other vectors' sums") {
  const std::vector<c10::BFloat16> rows(32 * 16 + 16, c10::BFloat16(1.0F));
  std::vector<float> bad(32, 1.0F), good(32, 1.0F), bad_sums(16), good_sums(16);
  bad[5] = INFINITY;
  const float* from[] = {bad.data(), good.data()};
  float* to[] = {bad_sums.data(), good_sums.data()};
  body::multiply_tiles<SoftwareTiles>({rows.data(), 0, 32, 16, 16, rows.data()}, from, to, 2);
  CHECK_FALSE(std::isfinite(bad_sums[0]));
  CHECK(good_sums == std::vector<float>(16, 32.0F));
}
