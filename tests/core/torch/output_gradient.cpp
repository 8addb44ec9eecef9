// The product of a gradient with a layer's output, against the layer itself.
#include "profile/output_gradient.h"

#include <doctest/doctest.h>

#include "support/tensors.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("a gradient times the output of a layer is found without computing the output") {
  for (const bool biases : {false, true})
    for (const bool compensated : {false, true})
      for (const bool moves : {false, true}) {
        CAPTURE(biases);
        CAPTURE(compensated);
        CAPTURE(moves);
        auto weights = random_moe(*random_ffn(24, 60, 1, biases), 8, 12, 2);
        if (!compensated) weights.compensation = at::Tensor();
        if (moves) weights = moving(weights);
        const auto moe = std::make_shared<const MoeWeights>(weights);
        const auto x = random_tensor({37, 24}, 4), g = random_tensor({37, 24}, 5);
        const OutputGradient gradient(*moe, x, g);
        for (const auto& policy : {LayerPolicy::above(-0.5), LayerPolicy::above(0.2), LayerPolicy::top(3),
                                   LayerPolicy::top(0), LayerPolicy::top(8)}) {
          const auto found = gradient.under(policy, select_experts(moe->route(x), policy));
          const auto expected = (g * MoeLayer(moe, policy).forward(x).y).sum(1);
          CHECK(relative_difference(found, expected) < 1e-5);
        }
      }
}
