// Products of large matrices: the layout and the sums with tiles in software on every machine, and all of it
// where there are matrix registers.
#include "kernels/matrix_product.h"

#include <vector>

#include <ATen/ATen.h>
#include <doctest/doctest.h>

#include "kernels/matrix_units.h"
#include "kernels/product_body.h"
#include "software_tiles.h"

using namespace ladimo;

namespace {

constexpr double exact_to = 0x1p-15;  // of the sum of absolute products; each factor is exact to 2^-17

Operand operand(const at::Tensor& t) {
  return {t.data_ptr<float>(), t.size(0), t.size(1), t.stride(0), t.stride(1)};
}

/// The largest error of c = a bᵀ, relative to the sums of absolute products.
double error_of(const at::Tensor& c, const at::Tensor& a, const at::Tensor& b) {
  const auto x = a.to(at::kDouble), w = b.to(at::kDouble).t();
  return ((c - at::mm(x, w)).abs() / at::mm(x.abs(), w.abs())).max().item<double>();
}

/// a bᵀ of at most 32 rows and one chunk of inputs with tiles in software.
at::Tensor by_tiles(const at::Tensor& a, const at::Tensor& b, bool* b_needs_low = nullptr) {
  using namespace body;
  std::vector<std::uint32_t> room(4 * static_cast<std::size_t>(plane_words));
  const auto plane = [&](std::size_t i) { return room.data() + i * static_cast<std::size_t>(plane_words); };
  Parts rows{plane(0), plane(1), false}, columns{plane(2), plane(3), false};
  lay_out<testing::SoftwareTiles, Layout::by_row>(operand(a), 0, 0, rows);
  lay_out<testing::SoftwareTiles, Layout::by_pair>(operand(b), 0, 0, columns);
  if (b_needs_low != nullptr) *b_needs_low = columns.needs_low;
  auto sums = at::empty({block_rows, block_rows});
  meet(testing::SoftwareTiles(), rows, columns, (a.size(1) + step_inputs - 1) / step_inputs, true,
       sums.data_ptr<float>(), room.data());
  return sums.slice(0, 0, a.size(0)).slice(1, 0, b.size(0));
}

}  // namespace

TEST_CASE("blocks of a product are those of the formula, however the factors lie") {
  at::manual_seed(0);
  for (const std::int64_t inputs :
       {std::int64_t{1}, std::int64_t{15}, std::int64_t{33}, std::int64_t{100}, body::chunk_inputs})
    for (const std::int64_t rows : {1, 7, 16, 17, 32}) {
      CAPTURE(inputs);
      CAPTURE(rows);
      const auto a = at::randn({rows, inputs}), b = at::randn({33 - rows, inputs});
      const auto a_turned = at::randn({inputs, rows}).t(), b_turned = at::randn({inputs, 33 - rows}).t();
      CHECK(error_of(by_tiles(a, b), a, b) < exact_to);
      CHECK(error_of(by_tiles(a_turned, b_turned), a_turned, b_turned) < exact_to);
    }
}

TEST_CASE("numbers that are bf16 need no second part") {
  const auto a = at::randn({32, 64}), b = at::randn({32, 64});
  bool needs_low = false;
  by_tiles(a, b, &needs_low);
  CHECK(needs_low);
  const auto rounded = b.to(at::kBFloat16).to(at::kFloat);
  CHECK(error_of(by_tiles(a, rounded, &needs_low), a, rounded) < exact_to);
  CHECK_FALSE(needs_low);
}

TEST_CASE("a NaN stays one in its row and column alone") {
  auto a = at::ones({32, 32});
  a[3][5] = std::numeric_limits<float>::quiet_NaN();
  a[4][6] = std::numeric_limits<float>::infinity();
  const auto c = by_tiles(a, at::ones({32, 32}));
  CHECK(c[3].isnan().all().item<bool>());
  CHECK_FALSE(c[4].isfinite().any().item<bool>());
  CHECK((c[5] == 32).all().item<bool>());
}

TEST_CASE("large products go through the matrix registers, and their gradients too") {
  if (!can_multiply_large()) return;
  use_matrix_units();
  at::manual_seed(1);
  const auto x = at::randn({300, 2500}), w = at::randn({200, 2500}), bias = at::randn({200});
  const auto exact = [&] {
    const ExactProducts all;
    return at::linear(x, w, bias);
  }();
  const auto fast = at::linear(x, w, bias);
  CHECK_FALSE(fast.equal(exact));  // or it did not go there
  CHECK(error_of(fast - bias, x, w) < exact_to);
  CHECK(error_of(exact - bias, x, w) < 1e-6);

  at::AutoGradMode with_gradients(true);
  const auto trained = w.clone().set_requires_grad(true);
  const auto gradient = at::randn({300, 200});
  at::linear(x, trained).backward(gradient);
  CHECK(error_of(trained.grad(), gradient.t(), x.t()) < exact_to);

  auto sum = at::ones({300, 200});
  at::NoGradGuard without_gradients;
  sum.addmm_(x, w.t());
  CHECK(error_of(sum - 1, x, w) < exact_to);
  CHECK((at::mm(x.to(at::kDouble), w.to(at::kDouble).t()).scalar_type() == at::kDouble));
}
