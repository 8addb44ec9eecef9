// Converted FFNs whose skipped experts are left out, compared with those that mask them.
#include "evaluate/skipping_ffn.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "support/tensors.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("skipped experts are left out without changing the output") {
  const at::NoGradGuard no_grad;
  struct Case {
    std::int64_t tokens, d, f, routed, shared;
    bool biases;
  };
  for (const Case& c : {Case{1, 8, 12, 4, 4, false}, Case{37, 50, 90, 7, 20, true},
                        Case{1100, 64, 200, 10, 0, false}, Case{700, 33, 300, 2, 100, true}}) {
    CAPTURE(c.tokens);
    MoeWeights weights = random_moe(*random_ffn(c.d, c.f, 1, c.biases), c.routed, c.shared, 2);
    if (c.biases) weights.compensation = at::Tensor();
    for (const bool moves : {false, true}) {
      const auto layer = std::make_shared<const MoeWeights>(moves ? moving(weights) : weights);
      REQUIRE(SkippingFfn::possible(*layer));
      const at::Tensor x = random_tensor({c.tokens, c.d}, 3);
      for (const LayerPolicy& policy : {LayerPolicy::above(0.0), LayerPolicy::above(1e9), LayerPolicy::top(1),
                                        LayerPolicy::top(static_cast<int>(c.routed))}) {
        const MoeLayer masked(layer, policy);
        const SkippingFfn skipping(layer, policy);
        const FfnOutput expected = masked.forward(x), found = skipping.forward(x);
        CHECK(relative_difference(found.y, expected.y) < 1e-5);
        CHECK(at::equal(found.experts, expected.experts));
        CHECK(relative_difference(skipping.grouped(x, masked.select(x)), expected.y) < 1e-5);
      }
    }
  }
}

TEST_CASE("there are kernels for fp32 alone") {
  const MoeWeights weights = random_moe(*random_ffn(8, 12, 1), 4, 4, 2);
  CHECK(SkippingFfn::possible(weights));
  CHECK_FALSE(SkippingFfn::possible(weights.to(at::kCPU, at::kBFloat16)));
}
