// Stage 2's measurements: scores compared with a plain computation, the estimated sensitivity with the
// measured one.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>

#include "base/correlation.h"
#include "decode/decoder.h"
#include "evaluate/evaluation.h"
#include "evaluate/scores.h"
#include "model/routing_weights.h"
#include "profile/ladder.h"
#include "profile/routing.h"
#include "profile/sensitivity.h"
#include "profile/tradeoff.h"
#include "support/pico_moe.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

namespace {

/// Counts how often the weights of every layer are loaded.
struct Counted {
  std::map<int, int> loads;
  MoeLayers moe;

  explicit Counted(const PicoMoe& model)
      : moe{[this, &model](int layer) {
              ++loads[layer];
              return model.moe.load(layer);
            },
            model.moe.shape} {}
  /// The number of loads of every layer since the last call.
  std::map<int, int> take() { return std::exchange(loads, {}); }
};

}  // namespace

TEST_CASE("scores equal those of two whole models") {
  const PicoMoe example;
  const ModelPolicy policy = {LayerPolicy::above(0.0), LayerPolicy::top(3)};
  const ModelPolicy second_only = {LayerPolicy::dense(), LayerPolicy::above(0.1)};
  const ModelPolicy first_only = {LayerPolicy::above(0.1), LayerPolicy::dense()};
  const ModelPolicy dense(2, LayerPolicy::dense());
  const std::vector<ModelPolicy> policies = {policy, second_only, first_only, dense};
  const auto scores = score(example.source, example.moe, example.windows, policies, {});

  const auto ids = at::tensor(example.windows.tokens).to(at::kLong).view({6, 16});
  const auto log_p = Decoder(example.source).forward(ids).logits.slice(1, 0, 15).log_softmax(2);
  const auto target = ids.slice(1, 1).unsqueeze(2);
  for (std::size_t p = 0; p < policies.size(); ++p) {
    std::vector<std::shared_ptr<const FeedForward>> ffns(2);
    for (std::size_t l = 0; l < 2; ++l)
      if (policies[p][l].kind != LayerPolicy::Kind::dense)
        ffns[l] = std::make_shared<MoeLayer>(example.layers[l], policies[p][l]);
    const auto log_q = Decoder(example.source, ffns).forward(ids).logits.slice(1, 0, 15).log_softmax(2);
    const auto kl = (log_p.exp() * (log_p - log_q)).sum(2).mean().item<double>();
    const auto nll = -log_q.gather(2, target).mean().item<double>();
    const auto evaluation = summarise(scores, p);
    CHECK(evaluation.tokens == 90);
    CHECK(evaluation.kl == doctest::Approx(kl).scale(1e-3).epsilon(1e-3));
    CHECK(evaluation.nll == doctest::Approx(nll).epsilon(1e-5));
    CHECK(evaluation.dense_nll ==
          doctest::Approx(-log_p.gather(2, target).mean().item<double>()).epsilon(1e-5));
    CHECK(evaluation.same_top ==
          doctest::Approx((log_p.argmax(2) == log_q.argmax(2)).to(at::kFloat).mean().item<double>()));
  }
  const auto activity = count_activity(example.source, example.moe, example.windows, policies, {});
  for (std::size_t p = 0; p < policies.size(); ++p) {
    CHECK(activity.policies[p].mean_experts == scores.policies[p].mean_experts);
    CHECK(activity.policies[p].ffn_parameters == scores.policies[p].ffn_parameters);
    CHECK(activity.policies[p].kl.empty());
  }
  const auto all_dense = summarise(scores, 3);
  CHECK(all_dense.kl == 0);
  CHECK(all_dense.same_top == 1);
  // The scores of the domains add up to those of all tokens.
  const auto a = summarise(scores, 0, 0), b = summarise(scores, 0, 1), whole = summarise(scores, 0);
  CHECK((a.kl * 45 + b.kl * 45) / 90 == doctest::Approx(whole.kl));
  CHECK(whole.kl_percentiles[3] == doctest::Approx(std::max(a.kl_percentiles[3], b.kl_percentiles[3])));
}

TEST_CASE("activated parameters are counted from what ran") {
  const PicoMoe example;
  const auto scores =
      score(example.source, example.moe, example.windows,
            {{LayerPolicy::top(3), LayerPolicy::dense()}, {LayerPolicy::dense(), LayerPolicy::dense()}}, {});
  const ModelConfig& config = example.source.config();
  const double d = 32, f = 48, neurons = 16 + 3 * 4;
  CHECK(scores.policies[0].mean_experts[0] == 3);
  // Counts the router and its bias, the shared and selected neurons, and five compensation vectors.
  CHECK(scores.policies[0].ffn_parameters[0] == doctest::Approx(8 * d + 8 + 3 * d * neurons + 5 * d));
  CHECK(scores.policies[0].ffn_parameters[1] == 3 * d * f);
  const auto numbers = measured_numbers(summarise(scores, 1), scores.policies[1], config);
  CHECK(numbers.activated_fraction == 1);
  CHECK(numbers.ffn_activated == 1);
  CHECK(numbers.activated_parameters == static_cast<double>(config.activated_parameters()));
}

TEST_CASE("the estimated sensitivity ranks like the measured one") {
  const PicoMoe example;
  const auto routing = measure_routing(example.source, example.moe, {0, 1}, example.windows, {});
  REQUIRE(routing.candidates.size() == 2);
  CHECK(routing.profile.tokens == 90);
  const auto measured =
      measure_sensitivity(example.source, example.moe, routing.candidates, example.windows, {});
  const auto estimated =
      estimate_sensitivity(example.source, example.moe, routing.candidates, {}, example.windows, 0, {})
          .candidates;
  CHECK(rank_correlation(measured, estimated) > 0.8);
  CHECK(rank_correlation(measured, measured) == doctest::Approx(1));
  Sensitivity reversed = measured;
  for (auto& row : reversed)
    for (double& value : row) value = -value;
  CHECK(rank_correlation(measured, reversed) == doctest::Approx(-1));
}

TEST_CASE("the ladder's activity is counted on the converted model's own trajectory") {
  const PicoMoe example;
  const auto routing = measure_routing(example.source, example.moe, {1}, example.windows, {});
  CHECK(routing.candidates[0].empty());
  auto table = measure_tradeoff(example.source, example.moe, routing.candidates, routing.cuts,
                                example.windows, {.measured = true}, {});
  REQUIRE(table.layers.size() == 2);
  CHECK(table.layers[0].candidates.size() == 1);
  CHECK(table.sensitivity == "measured");
  // Only layer 1 is sparse, so its inputs are the dense model's, and its activity is the one asked for.
  const auto& candidates = table.layers[1].candidates;
  // Measured thresholds stand at every fourth place, with three interpolated between two of them.
  for (std::size_t c = 0; c < ladder_levels().size(); ++c)
    CHECK(std::abs(candidates[4 * c + 1].policy.mean_experts / 8 - ladder_levels()[c]) < 0.05);
  for (std::size_t c = 2; c + 2 < 4 * ladder_levels().size(); ++c) {
    CHECK(candidates[c].policy.threshold > candidates[c - 1].policy.threshold);
    CHECK(candidates[c].policy.mean_experts <= candidates[c - 1].policy.mean_experts);
  }
  for (int k = 0; k <= 6; ++k)
    CHECK(std::any_of(candidates.begin(), candidates.end(),
                      [&](const Candidate& c) { return c.policy == LayerPolicy::top(k); }));
  measure_joint(table, example.source, example.moe, example.windows, {}, {});
  REQUIRE_FALSE(table.joint.empty());
  REQUIRE_FALSE(table.joint_top_k.empty());
  // With a single sparse layer the joint KL is that layer's, which was measured on four of the six windows.
  for (const auto& point : table.joint)
    CHECK(point.kl == doctest::Approx(point.sum_kl).scale(0).epsilon(0.3));
}

TEST_CASE("without re-calibration the ladder keeps the activity that its thresholds were set for") {
  const PicoMoe example;
  const auto routing = measure_routing(example.source, example.moe, {0, 1}, example.windows, {});
  const TradeoffSettings as_set{.recalibrated = false};
  auto table = measure_tradeoff(example.source, example.moe, routing.candidates, routing.cuts,
                                example.windows, as_set, {});
  for (const auto& layer : table.layers)
    for (std::size_t c = 0; c < ladder_levels().size(); ++c)
      CHECK(layer.candidates[4 * c + 1].policy.mean_experts == doctest::Approx(8 * ladder_levels()[c]));
  measure_joint(table, example.source, example.moe, example.windows, as_set, {});
  REQUIRE_FALSE(table.joint.empty());
  for (const auto& point : table.joint) CHECK(point.activated == point.sum_activated);
}

TEST_CASE("the weights of every layer are loaded once for each pass through the model") {
  const PicoMoe example;
  Counted counted(example);
  const std::map<int, int> once = {{0, 1}, {1, 1}}, twice = {{0, 2}, {1, 2}}, three_times = {{0, 3}, {1, 3}};
  const WeightSource& source = example.source;
  const Windows& windows = example.windows;
  const MoeLayers& moe = counted.moe;
  const auto candidates = measure_routing(source, moe, {0, 1}, windows, {}).candidates;
  CHECK(counted.take() == once);
  const std::vector<ModelPolicy> policies = {{LayerPolicy::above(0.0), LayerPolicy::top(3)},
                                             {LayerPolicy::top(2), LayerPolicy::top(3)},
                                             {LayerPolicy::dense(), LayerPolicy::top(3)}};
  score(source, moe, windows, policies, {});
  CHECK(counted.take() == once);
  count_activity(source, moe, windows, policies, {});
  CHECK(counted.take() == once);
  estimate_sensitivity(source, moe, candidates, {}, windows, 0, {});
  CHECK(counted.take() == once);
  measure_sensitivity(source, moe, candidates, windows, {});
  CHECK(counted.take() == once);

  // There is one pass for the activity, one for the estimate and one for the measurement.
  measure_tradeoff(source, moe, candidates, {}, windows, {.measured = true}, {});
  CHECK(counted.take() == three_times);
  auto table = measure_tradeoff(source, moe, candidates, {}, windows, {}, {});
  CHECK(counted.take() == twice);
  measure_tradeoff(source, moe, candidates, {}, windows, {.recalibrated = false}, {});
  CHECK(counted.take() == once);
  measure_joint(table, source, moe, windows, {}, {});
  CHECK(counted.take() == once);
}

TEST_CASE("the profile compares the loads of the source files") {
  const PicoMoe example;
  const auto layer =
      measure_routing(example.source, example.moe, {0}, example.windows, {}).profile.layers.front();
  REQUIRE(layer.domain_load.size() == 2);
  for (std::size_t e = 0; e < 8; ++e)
    CHECK((layer.domain_load[0][e] + layer.domain_load[1][e]) / 2 ==
          doctest::Approx(layer.expert_load[e]).epsilon(1e-5));
  CHECK(layer.stability < 0.999);
  CHECK(layer.stability == doctest::Approx(correlation(layer.domain_load[0], layer.domain_load[1]).value()));
  auto one_file = example.windows;
  std::fill(one_file.source.begin(), one_file.source.end(), 0);
  const auto alone = measure_routing(example.source, example.moe, {0}, one_file, {}).profile.layers.front();
  CHECK(alone.domain_load.empty());
  CHECK(alone.stability == 1);
}

TEST_CASE("the profile has the load under every policy of the ladder") {
  const PicoMoe example;
  const auto measured = measure_routing(example.source, example.moe, {0}, example.windows, {});
  const LayerProfile& layer = measured.profile.layers.front();
  REQUIRE(layer.loads.size() == measured.candidates[0].size());
  for (const auto& load : layer.loads) {
    const double experts = std::accumulate(load.experts.begin(), load.experts.end(), 0.0);
    CHECK(experts == doctest::Approx(load.policy.mean_experts).epsilon(0.02));
    REQUIRE(load.by_file.size() == 2);
    for (std::size_t e = 0; e < 8; ++e)
      CHECK((load.by_file[0][e] + load.by_file[1][e]) / 2 == doctest::Approx(load.experts[e]).epsilon(1e-5));
    if (load.policy.kind == LayerPolicy::Kind::top_k) CHECK(experts == doctest::Approx(load.policy.k));
  }
  const auto middle = load_under(layer, LayerPolicy::above(layer.middle_threshold));
  REQUIRE(middle);
  CHECK(std::accumulate(middle->experts.begin(), middle->experts.end(), 0.0) ==
        doctest::Approx(4).epsilon(0.1));
}

TEST_CASE("routing weights are counted in the common bins") {
  const auto weights = at::tensor({-1.0F, 0.0F, 0.5e-4F, 1.5e-4F, 0.3F, 9.9F, 10.5F, 1e9F});
  HistogramCounts expected(histogram_bins + 2, 0);
  for (const float w : {-1.0F, 0.0F, 0.5e-4F, 1.5e-4F, 0.3F, 9.9F, 10.5F, 1e9F})
    ++expected[static_cast<std::size_t>(histogram_index(w))];
  CHECK(count_weights(weights) == expected);
  CHECK(expected.front() == 3);
  CHECK(expected.back() == 2);
}
