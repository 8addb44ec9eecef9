// Single inputs that are left out: by scores, by counts, and what the estimate says of them.
#include <ATen/ATen.h>

#include "base/correlation.h"
#include "decode/decoder.h"
#include "evaluate/evaluation.h"
#include "evaluate/scores.h"
#include "model/large_inputs.h"
#include "profile/routing.h"
#include "profile/sensitivity.h"
#include "support/pico_moe.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

namespace {

/// A policy of two layers that leaves out about half of everything.
ModelPolicy some_cuts(const PicoMoe& example) {
  auto policy = uniform_cuts(
      measure_routing(example.source, example.moe, {0, 1}, example.windows, {}).profile.inputs, 0.5);
  const auto cuts = policy[1].cuts;
  policy[1] = LayerPolicy::top(3);
  policy[1].cuts = cuts;
  return policy;
}

}  // namespace

TEST_CASE("small inputs become zero, but not those of a first token") {
  const at::Tensor x = random_tensor({6, 10}, 1), first = at::zeros({6}, at::kBool);
  first[3].fill_(true);
  const at::Tensor kept = large_inputs(x, 0.5, first);
  for (std::int64_t t = 0; t < 6; ++t)
    for (std::int64_t i = 0; i < 10; ++i) {
      const float value = x[t][i].item<float>();
      CHECK(kept[t][i].item<float>() == (t == 3 || std::abs(value) >= 0.5f ? value : 0.0f));
    }
  CHECK(at::equal(large_inputs(x, 0, first), x));
  const at::Tensor norm = at::full({10}, 2.0f);
  CHECK(at::equal(large_neurons(x, norm, 1.0, first), kept));
  CHECK(at::equal(used_inputs(kept), (kept != 0).sum(1).to(at::kFloat)));
}

TEST_CASE("a dense FFN without small inputs and neurons is computed and counted by hand") {
  for (const bool biases : {false, true}) {
    const auto ffn = random_ffn(24, 60, 1, biases);
    const at::Tensor x = random_tensor({20, 24}, 2);
    LayerPolicy policy;
    policy.cut(Product::gate_up).threshold = 0.4;
    policy.cut(Product::down).threshold = 0.2;
    const FfnOutput output = CutFfn(ffn, policy).forward(x);
    const at::Tensor inputs = at::where(x.abs() >= 0.4, x, at::zeros_like(x));
    const at::Tensor h = ffn->hidden(inputs);
    const at::Tensor stays = h.abs() * ffn->down.norm(2, 0) >= 0.2;
    CHECK(stays.any().item<bool>());
    CHECK_FALSE(stays.all().item<bool>());
    const at::Tensor expected = at::linear(h * stays, ffn->down, ffn->down_bias);
    CHECK(relative_difference(output.y, expected) < 1e-6);
    const at::Tensor left_out = 2 * 60 * (24 - (inputs != 0).sum(1)) + 24 * (60 - stays.sum(1));
    CHECK(at::equal(output.left_out, left_out.to(at::kFloat)));
  }
}

TEST_CASE("a converted FFN counts what is left out of the experts that run") {
  const auto moe = std::make_shared<MoeWeights>(random_moe(*random_ffn(24, 60, 1), 8, 12, 2));
  const at::Tensor x = random_tensor({20, 24}, 3);
  LayerPolicy policy = LayerPolicy::top(3);
  policy.cut(Product::gate_up).threshold = 0.4;
  policy.cut(Product::down).threshold = 0.2;
  const FfnOutput output = MoeLayer(moe, policy).forward(x);
  const at::Tensor inputs = at::where(x.abs() >= 0.4, x, at::zeros_like(x));
  const at::Tensor selected = select_experts(moe->route(x), policy);  // by all inputs
  const at::Tensor h = moe->hidden(inputs);
  const at::Tensor runs = at::cat({at::ones({20, 12}, at::kBool), selected.repeat_interleave(6, 1)}, 1);
  const at::Tensor stays = h.abs() * moe->down.norm(2, 1) >= 0.2;
  CHECK(relative_difference(output.y, moe->combine(h * stays, selected)) < 1e-6);
  const at::Tensor left_out =
      2 * (12 + 3 * 6) * (24 - (inputs != 0).sum(1)) + 24 * (12 + 3 * 6 - (stays & runs).sum(1));
  CHECK(relative_difference(output.left_out, left_out.to(at::kFloat)) < 1e-6);
}

TEST_CASE("scores of a policy with cuts equal those of a whole model, and what is left out is counted") {
  const PicoMoe example;
  const ModelPolicy policy = some_cuts(example);
  for (const Product product : all_products) CHECK(policy[0].cut(product).threshold > 0);
  const auto scores = score(example.source, example.moe, example.windows, {policy}, {});
  const auto ids = at::tensor(example.windows.tokens).to(at::kLong).view({6, 16});
  const auto log_p = Decoder(example.source).forward(ids).logits.slice(1, 0, 15).log_softmax(2);
  const Decoder::Ffns ffns = {nullptr, std::make_shared<MoeLayer>(example.layers[1], policy[1])};
  const Decoder decoder(example.source, ffns, policy, 2);
  const auto log_q = decoder.forward(ids).logits.slice(1, 0, 15).log_softmax(2);
  const auto kl = (log_p.exp() * (log_p - log_q)).sum(2).mean().item<double>();
  CHECK(kl > 1e-4);
  CHECK(summarise(scores, 0).kl == doctest::Approx(kl).epsilon(1e-3));

  const ModelConfig& config = example.source.config();
  const auto& counted = scores.policies[0];
  const auto numbers = measured_numbers(summarise(scores, 0), counted, config);
  double left_out = 0;
  for (std::size_t l = 0; l < 2; ++l) {
    const double attention =
        static_cast<double>(config.qkv_parameters()) * (1 - decoder.read_share(l, Product::qkv)) +
        static_cast<double>(config.o_parameters()) * (1 - decoder.read_share(l, Product::o));
    CHECK(counted.attention_left_out[l] == doctest::Approx(attention));
    left_out += attention;
  }
  CHECK(numbers.activated_parameters ==
        doctest::Approx(static_cast<double>(config.activated_outside_ffns()) - left_out +
                        counted.ffn_parameters[0] + counted.ffn_parameters[1]));
  // The dense layer: 32 x 48 neurons, three products.
  const double inputs = decoder.read_share(0, Product::gate_up),
               neurons = decoder.read_share(0, Product::down);
  CHECK(counted.ffn_parameters[0] == doctest::Approx(32 * 48 * (2 * inputs + neurons)));
}

TEST_CASE("what leaving out inputs is estimated to change ranks like what it changes") {
  const PicoMoe example;
  const auto routing = measure_routing(example.source, example.moe, {}, example.windows, {});
  const CandidateTable none(2);
  const auto estimated =
      estimate_sensitivity(example.source, example.moe, none, routing.cuts, example.windows, 0, {}).cuts;
  std::vector<ModelPolicy> policies;
  std::vector<double> expected, shares;
  for (std::size_t l = 0; l < 2; ++l)
    for (const Product product : all_products) {
      const auto& rungs = estimated[l][static_cast<std::size_t>(product)];
      REQUIRE(rungs.size() > 3);
      CHECK(rungs.front().kl == 0);
      for (std::size_t k = 1; k < rungs.size(); k += 4) {
        CHECK(rungs[k].kl >= rungs[k - 1].kl);
        CHECK(rungs[k].share <= rungs[k - 1].share);
        policies.emplace_back(2);
        policies.back()[l].cut(product) = {rungs[k].threshold, rungs[k].share};
        expected.push_back(rungs[k].kl);
        shares.push_back(rungs[k].share);
      }
    }
  const auto scores = score(example.source, example.moe, example.windows, policies, {});
  std::vector<double> measured;
  for (std::size_t p = 0; p < policies.size(); ++p) measured.push_back(summarise(scores, p).kl);
  CHECK(rank_correlation(measured, expected).value_or(0) > 0.8);
}
