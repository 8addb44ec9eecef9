// Products by tiles, with tiles in software: processors that have matrix registers run the same code with
// them, and tests/core/torch/kernels.cpp compares it with the other variants there.
#include "kernels/tile_attention_body.h"

#include <bit>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "software_tiles.h"

using namespace ladimo;
using ladimo::testing::SoftwareWideTiles;

namespace {

/// Vectors in tiles, and the products of some of them with the rows of a panel.
struct Vectors {
  std::int64_t inputs;
  std::vector<VectorTile> tiles;

  Vectors(const std::vector<float>& x, std::int64_t inputs_of_x)
      : inputs(inputs_of_x), tiles(static_cast<std::size_t>(tiles_of(rows(x)) * steps())) {
    for (std::int64_t t = 0; t < rows(x); ++t)
      body::split_vector(x.data() + t * inputs, inputs, t % 32, tiles.data() + t / 32 * steps());
  }
  std::int64_t rows(const std::vector<float>& x) const { return std::ssize(x) / inputs; }
  std::int64_t steps() const { return tiles_of(inputs); }
  void multiply(const PanelRows<c10::BFloat16>& panel, const std::vector<std::int32_t>& tokens,
                float* const* y) const {
    body::multiply_tiles<SoftwareWideTiles>(panel, tiles.data(), tokens.data(), y, std::ssize(tokens));
  }
};

/// Every `nth` of the vectors is left out; 0: none.
void check_tiles(std::int64_t width, std::int64_t vectors, std::int64_t inputs, std::int64_t nth) {
  CAPTURE(width);
  CAPTURE(vectors);
  CAPTURE(inputs);
  CAPTURE(nth);
  const std::int64_t stride = width + 2;
  Random random(width * 1000 + inputs, "tiles");
  const auto value = [&] { return static_cast<float>(2 * random.uniform() - 1); };
  std::vector<c10::BFloat16> rows;
  for (std::int64_t i = 0; i < inputs * stride + 16; ++i) rows.emplace_back(value());
  std::vector<float> x;
  for (std::int64_t i = 0; i < vectors * inputs; ++i) x.push_back(value());
  std::vector<std::int32_t> tokens;
  for (std::int32_t t = 0; t < vectors; ++t)
    if (nth == 0 || t % nth != nth - 1) tokens.push_back(t);
  const auto count = std::ssize(tokens);
  std::vector<float> y(static_cast<std::size_t>(count * width + 1), 42.0F);
  std::vector<float*> to;
  for (std::int64_t t = 0; t < count; ++t) to.push_back(y.data() + t * width);
  Vectors(x, inputs).multiply({rows.data(), 0, inputs, width, stride, rows.data()}, tokens, to.data());
  const auto at = [](const auto& values, std::int64_t i) {
    return static_cast<double>(static_cast<float>(values[static_cast<std::size_t>(i)]));
  };
  double furthest = 0;
  for (std::int64_t t = 0; t < count; ++t)
    for (std::int64_t c = 0; c < width; ++c) {
      double expected = 0, size = 0;
      for (std::int64_t i = 0; i < inputs; ++i) {
        const double product =
            at(x, tokens[static_cast<std::size_t>(t)] * inputs + i) * at(rows, i * stride + c);
        expected += product;
        size += std::abs(product);
      }
      furthest = std::max(furthest, std::abs(at(y, t * width + c) - expected) / size);
    }
  CHECK(furthest < 0x1p-16);  // the two parts of a vector are exact to 2^-17
  CHECK(y.back() == 42.0F);   // must not be written
}

}  // namespace

TEST_CASE("products by tiles compute the formula for every width, number of vectors and of inputs") {
  for (const std::int64_t width : {1, 16, 17, 31, 48, 64, 95, 96})
    for (const std::int64_t vectors : {1, 16, 33, 70})
      for (const std::int64_t inputs : {1, 24, 33, 256, 300, 800})
        for (const std::int64_t nth : {0, 2, 7}) check_tiles(width, vectors, inputs, nth);
}

TEST_CASE("products by tiles keep infinities and NaNs out of other vectors' sums") {
  const std::vector<c10::BFloat16> rows(32 * 16 + 16, c10::BFloat16(1.0F));
  std::vector<float> x(2 * 32, 1.0F), bad_sums(16), good_sums(16);
  x[5] = INFINITY;
  float* to[] = {bad_sums.data(), good_sums.data()};
  Vectors(x, 32).multiply({rows.data(), 0, 32, 16, 16, rows.data()}, {0, 1}, to);
  CHECK_FALSE(std::isfinite(bad_sums[0]));
  for (const std::uint32_t payload : {0x7F800001u, 0x7FC00000u, 0x7FFFFFFFu, 0xFFFFFFFFu}) {
    x[5] = std::bit_cast<float>(payload);
    Vectors(x, 32).multiply({rows.data(), 0, 32, 16, 16, rows.data()}, {0, 1}, to);
    CHECK(std::isnan(bad_sums[0]));
  }
  CHECK(good_sums == std::vector<float>(16, 32.0F));
}

TEST_CASE("attention by tiles computes the formula, for every part of the keys that a query sees") {
  constexpr std::int64_t rows = 70;
  for (const std::int64_t dim : {16, 64, 80, 128})
    for (const std::int64_t keys : {1, 33, 130}) {
      CAPTURE(dim);
      CAPTURE(keys);
      Random random(dim + keys, "attention");
      const auto value = [&] { return static_cast<float>(4 * random.uniform() - 2); };
      std::vector<c10::BFloat16> k, v;
      for (std::int64_t i = 0; i < keys * dim; ++i) {
        k.emplace_back(value());
        v.emplace_back(value());
      }
      std::vector<float> q, y(static_cast<std::size_t>(rows * dim));
      for (std::int64_t i = 0; i < rows * dim; ++i) q.push_back(value());
      std::vector<const float*> from;
      std::vector<float*> to;
      std::vector<std::int64_t> begin, end;
      for (std::int64_t r = 0; r < rows; ++r) {
        from.push_back(q.data() + r * dim);
        to.push_back(y.data() + r * dim);
        end.push_back(1 + r % keys);
        begin.push_back(std::max<std::int64_t>(0, end.back() - 37));  // a window
      }
      std::vector<VectorTile> room(body::AttentionShape(keys, dim).bytes() / sizeof(VectorTile) + 1);
      body::attend_tiles<SoftwareWideTiles>({k.data(), v.data(), keys, dim, dim, dim},
                                            {from.data(), begin.data(), end.data(), to.data(), rows},
                                            reinterpret_cast<std::byte*>(room.data()));
      double furthest = 0;
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto i = static_cast<std::size_t>(r);
        std::vector<double> shares;
        double total = 0;
        for (std::int64_t j = begin[i]; j < end[i]; ++j) {
          double score = 0;
          for (std::int64_t c = 0; c < dim; ++c)
            score += static_cast<double>(from[i][c]) *
                     static_cast<double>(static_cast<float>(k[static_cast<std::size_t>(j * dim + c)]));
          shares.push_back(std::exp(score));
          total += shares.back();
        }
        for (std::int64_t c = 0; c < dim; ++c) {
          double expected = 0;
          for (std::int64_t j = begin[i]; j < end[i]; ++j)
            expected += shares[static_cast<std::size_t>(j - begin[i])] / total *
                        static_cast<double>(static_cast<float>(v[static_cast<std::size_t>(j * dim + c)]));
          furthest = std::max(furthest, std::abs(expected - static_cast<double>(to[i][c])));
        }
      }
      CHECK(furthest < 2e-3);  // scores of up to 100, exact to 2^-17
    }
}
