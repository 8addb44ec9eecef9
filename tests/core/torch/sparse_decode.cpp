#include "kernels/sparse_decode.h"

#include <ATen/Parallel.h>
#include <doctest/doctest.h>

#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

at::Tensor random_selection(std::int64_t tokens, std::int64_t routed, std::uint64_t seed) {
  return random_tensor({tokens, routed}, seed) > 0.2;
}

// The masked computation in fp32 on the very same weights.
at::Tensor masked(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& selected) {
  const MoeWeights reference = weights.to(at::kCPU, at::kFloat);
  return reference.combine(reference.hidden(x.to(at::kFloat)), selected);
}

}  // namespace

TEST_CASE("reading only what runs gives what masking gives") {
  struct Case {
    std::int64_t d, f, routed, shared;
    bool biases;
  };
  for (const Case& c : {Case{192, 512, 48, 128, false}, Case{37, 50, 5, 7, true}, Case{16, 24, 3, 0, false},
                        Case{64, 300, 2, 100, true}}) {
    CAPTURE(c.d);
    const MoeWeights moe = random_moe(*random_ffn(c.d, c.f, 1, c.biases), c.routed, c.shared, 2);
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      const MoeWeights weights = moe.to(at::kCPU, dtype);
      for (std::int64_t tokens = 1; tokens <= 8; ++tokens) {
        CAPTURE(tokens);
        const at::Tensor x = random_tensor({tokens, c.d}, 30).to(dtype);
        const at::Tensor selected = random_selection(tokens, c.routed, static_cast<std::uint64_t>(tokens));
        REQUIRE(decodes_sparsely(weights, x));
        CHECK(relative_difference(sparse_decode(weights, x, selected), masked(weights, x, selected)) < 1e-5);
      }
    }
  }
}

TEST_CASE("no expert and every expert are selections like any other") {
  const MoeWeights moe = random_moe(*random_ffn(32, 64, 1), 6, 10, 2);
  const at::Tensor x = random_tensor({3, 32}, 3);
  for (const at::Tensor& selected : {at::zeros({3, 6}, at::kBool), at::ones({3, 6}, at::kBool)})
    CHECK(relative_difference(sparse_decode(moe, x, selected), moe.combine(moe.hidden(x), selected)) < 1e-5);
}

TEST_CASE("several threads give what one gives, the same every time") {
  const MoeWeights moe = random_moe(*random_ffn(512, 2048, 1), 16, 512, 2);
  const at::Tensor x = random_tensor({2, 512}, 3);
  const at::Tensor selected = random_selection(2, 16, 4);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor alone = sparse_decode(moe, x, selected);
  at::set_num_threads(3);
  const at::Tensor together = sparse_decode(moe, x, selected);
  CHECK(at::equal(together, sparse_decode(moe, x, selected)));
  at::set_num_threads(threads);
  CHECK(relative_difference(together, alone) < 1e-5);
}

TEST_CASE("many tokens, other dtypes and autograd go the other way") {
  MoeWeights moe = random_moe(*random_ffn(32, 64, 1), 6, 10, 2);
  CHECK_FALSE(decodes_sparsely(moe, random_tensor({9, 32}, 3)));
  CHECK_FALSE(decodes_sparsely(moe, random_tensor({1, 32}, 3).requires_grad_()));
  CHECK_FALSE(decodes_sparsely(moe.to(at::kCPU, at::kDouble), random_tensor({1, 32}, 3)));
  moe.down = random_tensor({32, 64}, 4).t();
  CHECK_FALSE(decodes_sparsely(moe, random_tensor({1, 32}, 3)));
}

TEST_CASE("a layer answers one token like a token among many") {
  const auto weights = std::make_shared<MoeWeights>(random_moe(*random_ffn(48, 128, 1), 12, 32, 2));
  const at::Tensor x = random_tensor({32, 48}, 3);
  for (const LayerPolicy& policy : {LayerPolicy::above(0.3), LayerPolicy::top(4)}) {
    const MoeLayer layer(weights, policy);
    const FfnOutput many = layer.forward(x);
    const FfnOutput few = layer.forward(x.narrow(0, 5, 3));
    CHECK(relative_difference(few.y, many.y.narrow(0, 5, 3)) < 1e-5);
    CHECK(at::equal(few.experts, many.experts.narrow(0, 5, 3)));
  }
}
