#include "policy/frontier.h"

#include <chrono>
#include <cmath>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/random.h"
#include "support/random_tables.h"
#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using ladimo::testing::random_table;

namespace {

TradeoffTable table_with_joint(std::uint64_t seed) {
  auto table = random_table({}, seed);
  testing::add_joint_points(table);
  return table;
}

bool all_dense(const Policy& policy) {
  for (const auto& layer : policy.layers)
    if (layer.kind != LayerPolicy::Kind::dense) return false;
  return true;
}

double cost_of(const Policy& policy) {
  return policy.cost == Cost::activated ? policy.predicted.activated_parameters
                                        : policy.predicted.decode_ms.value();
}

/// Pins of several kinds, also between candidates.
std::vector<Pin> some_pins() {
  return {{0, LayerPolicy::dense()}, {2, LayerPolicy::top(17)}, {4, LayerPolicy::above(0.02)}};
}

double correlation_free_sum(const TradeoffTable& table, const std::vector<LayerPolicy>& layers) {
  double sum = 0;
  for (std::size_t l = 0; l < layers.size(); ++l)
    for (const auto& candidate : table.layers[l].candidates)
      if (candidate.policy == layers[l]) sum += candidate.kl;
  return sum;
}

}  // namespace

TEST_CASE("from all dense to the cheapest, budgets are kept and KL never rises with the budget") {
  const auto latency = testing::random_latency(48);
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (const Cost cost : {Cost::activated, Cost::decode_ms})
      for (const bool joint : {false, true})
        for (const bool pinned : {false, true}) {
          CAPTURE(seed);
          const auto table = joint ? table_with_joint(seed) : random_table({}, seed);
          const auto pins = pinned ? some_pins() : std::vector<Pin>{};
          const Frontier frontier(table, &latency, cost, pins);
          double before = INFINITY;
          for (int i = 0; i <= 100; ++i) {
            const double budget =
                frontier.cheapest_cost() + (frontier.dense_cost() - frontier.cheapest_cost()) * i / 100;
            const Policy policy = frontier.at_budget(budget);
            REQUIRE(cost_of(policy) <= budget * (1 + 1e-9));
            REQUIRE(policy.predicted.kl <= before);
            before = policy.predicted.kl;
            for (const Pin& pin : pins) {
              const auto& layer = policy.layers[static_cast<std::size_t>(pin.layer)];
              CHECK(layer.kind == pin.policy.kind);
              CHECK(layer.k == pin.policy.k);
              CHECK(layer.threshold == pin.policy.threshold);
            }
          }
          CHECK(all_dense(frontier.at_tradeoff(0)) == !pinned);
          CHECK(cost_of(frontier.at_tradeoff(1)) == doctest::Approx(frontier.cheapest_cost()));
          CHECK(cost_of(frontier.at_budget(0)) == doctest::Approx(frontier.cheapest_cost()));
          CHECK(cost_of(frontier.at_tradeoff(0)) == doctest::Approx(frontier.accurate_cost()));
        }
}

TEST_CASE("at most 0.3 % of the dense cost remains unused of a budget") {
  const auto table = random_table({32, 16, 4, 48, 1e6}, 5);
  const Frontier frontier(table, nullptr, Cost::activated);
  for (const double tradeoff : {0.2, 0.4, 0.6, 0.8}) {
    const double budget = (1 - tradeoff) * frontier.dense_cost() + tradeoff * frontier.cheapest_cost();
    const double unused = budget - cost_of(frontier.at_tradeoff(tradeoff));
    CHECK(unused >= -1e-3);
    CHECK(unused < 0.003 * frontier.dense_cost());
  }
}

TEST_CASE("a solution knows its trade-off") {
  const auto table = table_with_joint(1);
  const Frontier frontier(table, nullptr, Cost::activated);
  CHECK(frontier.beats_dense());
  CHECK(frontier.at_tradeoff(0.37).tradeoff == 0.37);
  const double middle = (frontier.dense_cost() + frontier.cheapest_cost()) / 2;
  CHECK(frontier.at_budget(middle).tradeoff == doctest::Approx(0.5));
  CHECK(frontier.at_budget(2 * frontier.dense_cost()).tradeoff == 0);
  CHECK(frontier.at_budget(0).tradeoff == 1);
  CHECK(frontier.at_budget(middle).layers == frontier.at_tradeoff(0.5).layers);
  const Frontier again(table, nullptr, Cost::activated);
  CHECK(to_json(again.at_tradeoff(0.37)) == to_json(frontier.at_tradeoff(0.37)));
}

TEST_CASE("points of the frontier ascend in cost and fall in KL, and their cost as a budget leads to them") {
  const auto table = table_with_joint(2);
  const Frontier frontier(table, nullptr, Cost::activated);
  const auto points = frontier.points(40);
  CHECK(points.size() == 40);
  CHECK(points.front().cost == doctest::Approx(frontier.cheapest_cost()));
  CHECK(points.back().cost == doctest::Approx(frontier.dense_cost()));
  CHECK(points.back().kl == 0);
  CHECK(points.front().tradeoff == doctest::Approx(1));
  for (std::size_t i = 0; i < points.size(); ++i) {
    CHECK(frontier.at_budget(points[i].cost * (1 + 1e-12)).predicted.kl <= points[i].kl + 1e-12);
    if (i == 0) continue;
    CHECK(points[i].cost > points[i - 1].cost);
    CHECK(points[i].kl <= points[i - 1].kl);
  }
}

TEST_CASE("a KL limit is kept, and a cheaper policy would exceed it") {
  const auto table = table_with_joint(3);
  const Frontier frontier(table, nullptr, Cost::activated);
  for (const double kl : {0.0, 0.001, 0.01, 0.03, 10.0}) {
    CAPTURE(kl);
    const Policy policy = frontier.at_max_kl(kl);
    CHECK(policy.predicted.kl <= kl + 1e-12);
    const double less = cost_of(policy) - 0.003 * frontier.dense_cost();
    if (less > frontier.cheapest_cost()) CHECK(frontier.at_budget(less).predicted.kl > kl);
  }
  CHECK(cost_of(frontier.at_max_kl(100)) == doctest::Approx(frontier.cheapest_cost()));
}

TEST_CASE("candidates that cost more than dense are never chosen") {
  auto table = random_table({}, 4);
  for (auto& layer : table.layers)
    for (auto& candidate : layer.candidates)
      if (candidate.policy.kind == LayerPolicy::Kind::top_k) candidate = {candidate.policy, 0, 2e6};
  const Frontier frontier(table, nullptr, Cost::activated);
  for (const double tradeoff : {0.0, 0.3, 1.0})
    for (const auto& layer : frontier.at_tradeoff(tradeoff).layers)
      CHECK(layer.kind != LayerPolicy::Kind::top_k);
}

TEST_CASE("predictions at candidates are the table's, and monotone between them") {
  const auto table = random_table({}, 6);
  const std::size_t l = 1;
  std::vector<LayerPolicy> layers(6);
  const auto& candidates = table.layers[l].candidates;
  for (const auto& candidate : candidates) {
    layers[l] = candidate.policy;
    const auto numbers = predict(table, nullptr, layers);
    CHECK(numbers.kl == candidate.kl);
    CHECK(numbers.activated_parameters ==
          doctest::Approx(table.other_activated + 5e6 + candidate.activated).epsilon(1e-12));
    CHECK(numbers.perplexity == doctest::Approx(std::exp(table.dense_nll + candidate.kl)));
    CHECK_FALSE(numbers.decode_ms);
  }
  double kl = 0, activated = INFINITY;
  for (double threshold = candidates[1].policy.threshold; threshold < candidates[8].policy.threshold;
       threshold *= 1.003) {
    layers[l] = LayerPolicy::above(threshold);
    const auto numbers = predict(table, nullptr, layers);
    REQUIRE(numbers.kl >= kl - 1e-15);
    REQUIRE(numbers.activated_parameters <= activated * (1 + 1e-12));
    kl = numbers.kl;
    activated = numbers.activated_parameters;
  }
  kl = INFINITY;
  for (int k = 0; k <= 48; ++k) {
    layers[l] = LayerPolicy::top(k);
    const auto numbers = predict(table, nullptr, layers);
    CHECK(numbers.kl <= kl);
    kl = numbers.kl;
    // One more expert adds the same number of parameters everywhere, also beyond the candidates.
    CHECK(numbers.activated_parameters ==
          doctest::Approx(table.other_activated + 5e6 + 1e6 * (0.26 + 0.76 * k / 48)).epsilon(1e-9));
  }
}

TEST_CASE("joint measurements correct the predictions") {
  const auto table = table_with_joint(7);
  const Frontier frontier(table, nullptr, Cost::activated);
  const auto dense = frontier.at_tradeoff(0).predicted;
  CHECK(dense.kl == 0);
  CHECK(dense.activated_fraction == 1);
  CHECK(dense.ffn_activated == 1);
  CHECK(dense.perplexity == doctest::Approx(std::exp(3.5)));
  const auto policy = frontier.at_tradeoff(0.5);
  const double sum_kl = correlation_free_sum(table, policy.layers);
  CHECK(policy.predicted.kl == doctest::Approx(1.1 * sum_kl).scale(0).epsilon(1e-3));
  CHECK(std::log(policy.predicted.perplexity) - 3.5 == doctest::Approx(0.8 * sum_kl).scale(0).epsilon(1e-3));
  auto plain = table;
  plain.joint.clear();
  const double ffn = predict(plain, nullptr, policy.layers).ffn_activated;
  CHECK(policy.predicted.ffn_activated == doctest::Approx(ffn - 0.08 * (1 - ffn)).epsilon(2e-3));
}

TEST_CASE("noise in the joint measurements does not make the correction fall") {
  auto table = table_with_joint(8);
  std::swap(table.joint[1].kl, table.joint[2].kl);
  std::swap(table.joint[1].activated, table.joint[2].activated);
  table.joint[0].nll_increase = -0.001;
  const Frontier frontier(table, nullptr, Cost::activated);
  double kl = INFINITY, fraction = 0, perplexity = INFINITY;
  for (int i = 100; i >= 0; --i) {
    const auto numbers = frontier.at_tradeoff(i / 100.0).predicted;
    CHECK(numbers.kl <= kl);
    CHECK(numbers.perplexity <= perplexity * (1 + 1e-12));
    CHECK(numbers.activated_fraction >= fraction);
    kl = numbers.kl, perplexity = numbers.perplexity, fraction = numbers.activated_fraction;
  }
  CHECK(fraction == 1);
}

TEST_CASE("pins that are impossible for a layer are refused") {
  auto table = random_table({}, 9);
  table.layers[1].candidates.resize(1);
  const std::pair<const char*, const char*> bad[] = {
      {"6=dense", "There is no layer 6; the model has 6 layers"},
      {"1=top2", "Layer 1 was not converted: its policy can only be dense"},
      {"1=th0.1", "Layer 1 was not converted"},
      {"2=top49", "cannot run 49 routed experts: it has 48"},
  };
  for (const auto& [pin, part] : bad)
    check_refused(part, [&, pin = pin] { Frontier(table, nullptr, Cost::activated, {parse_pin(pin)}); });
  check_refused("Layer 2 is pinned twice", [&] {
    Frontier(table, nullptr, Cost::activated, {parse_pin("2=top2"), parse_pin("2=dense")});
  });
  CHECK_NOTHROW(Frontier(table, nullptr, Cost::activated, {parse_pin("1=dense"), parse_pin("2=top48")}));
  table.layers[3].candidates.erase(table.layers[3].candidates.begin() + 9, table.layers[3].candidates.end());
  check_refused("Layer 3 has no measured candidates of the kind top2",
                [&] { Frontier(table, nullptr, Cost::activated, {parse_pin("3=top2")}); });
  check_refused("The policy has 2 layers, the run 6", [&] { predict(table, nullptr, {{}, {}}); });
}

TEST_CASE("when every layer is pinned, only one policy is left") {
  const auto table = random_table({}, 10);
  std::vector<Pin> pins;
  for (int l = 0; l < 6; ++l) pins.push_back({l, LayerPolicy::top(24)});
  const Frontier frontier(table, nullptr, Cost::activated, pins);
  CHECK(frontier.accurate_cost() == frontier.cheapest_cost());
  CHECK(frontier.points().size() == 1);
  CHECK(frontier.at_tradeoff(0.3).layers == std::vector<LayerPolicy>(6, LayerPolicy::top(24)));
}

TEST_CASE("the prediction for a request meets what was asked for") {
  const auto table = table_with_joint(11);
  const auto latency = testing::random_latency(48);
  PolicyRequest request;
  CHECK(solve(table, &latency, request).tradeoff == 0.5);
  request.activated = 0.8;
  const auto activated = solve(table, &latency, request).predicted.activated_fraction;
  CHECK(activated <= 0.8 + 1e-9);
  CHECK(activated > 0.79);
  request = {};
  request.ffn_activated = 0.69;
  const auto ffn = solve(table, &latency, request).predicted.ffn_activated;
  CHECK(ffn <= 0.69 + 1e-9);
  CHECK(ffn > 0.68);
  request = {};
  request.speedup = 1.2;
  const auto fast = solve(table, &latency, request);
  CHECK(fast.cost == Cost::decode_ms);
  CHECK(*fast.predicted.decode_ms <= 8 / 1.2 + 1e-9);
  request = {};
  request.max_kl = 0.01;
  CHECK(solve(table, &latency, request).predicted.kl <= 0.01);
}

TEST_CASE("a frontier of one kind of policies uses no other kind, except in pins") {
  auto table = table_with_joint(11);
  table.joint_top_k = table.joint;
  for (auto& point : table.joint_top_k) point.kl *= 2;
  const auto kinds_in = [&](Kinds kinds, std::vector<Pin> pins = {}) {
    std::set<LayerPolicy::Kind> found;
    PolicyRequest request;
    request.kinds = kinds;
    request.pins = std::move(pins);
    for (const double tradeoff : {0.3, 0.6, 1.0}) {
      request.tradeoff = tradeoff;
      for (const auto& layer : solve(table, nullptr, request).layers) found.insert(layer.kind);
    }
    found.erase(LayerPolicy::Kind::dense);
    return found;
  };
  using Found = std::set<LayerPolicy::Kind>;
  CHECK(kinds_in(Kinds::top_k) == Found{LayerPolicy::Kind::top_k});
  CHECK(kinds_in(Kinds::threshold) == Found{LayerPolicy::Kind::threshold});
  CHECK(kinds_in(Kinds::threshold, {{2, LayerPolicy::top(24)}}).size() == 2);
  // A top-k frontier is predicted from the joint points measured with top-k.
  PolicyRequest request{.tradeoff = 0.5, .kinds = Kinds::top_k};
  const auto own = solve(table, nullptr, request);
  table.joint_top_k.clear();
  CHECK(own.predicted.kl == doctest::Approx(2 * solve(table, nullptr, request).predicted.kl));
  CHECK(parse_kinds("top_k") == Kinds::top_k);
  CHECK(parse_kinds("mixed") == Kinds::mixed);
  check_refused("\"topk\" is not a kind of policy. | Use threshold, top_k or mixed.",
                [] { parse_kinds("topk"); });
}

TEST_CASE("above the last threshold the KL approaches that of the shared neurons alone") {
  auto table = testing::random_table({}, 5);
  auto& candidates = table.layers[0].candidates;
  candidates.push_back({LayerPolicy::top(0), 1.0, 1000});
  const double last = [&] {
    double greatest = 0;
    for (const auto& c : candidates) greatest = std::max(greatest, c.policy.threshold);
    return greatest;
  }();
  std::vector<LayerPolicy> layers(6, LayerPolicy::dense());
  const auto kl = [&](double threshold) {
    layers[0] = LayerPolicy::above(threshold);
    return predict(table, nullptr, layers).kl;
  };
  CHECK(kl(1.5 * last) > kl(last));
  CHECK(kl(100 * last) == doctest::Approx(1.0));
}

TEST_CASE("requests that cannot be met are refused with what is possible") {
  const auto table = table_with_joint(12);
  auto latency = testing::random_latency(48);
  const auto refused = [&](const char* part, const PolicyRequest& request) {
    check_refused(part, [&] { solve(table, &latency, request); });
  };
  refused("More than one budget", {.tradeoff = 0.5, .activated = 0.8});
  refused("trade-off is not between 0 and 1", {.tradeoff = 1.5});
  refused("trade-off is not between 0 and 1", {.tradeoff = std::nan("")});
  refused("is not above 0 and at most 1", {.activated = 0.0});
  refused("is not above 0 and at most 1", {.activated = 80.0});
  refused("FFNs' activated share is not above 0", {.ffn_activated = -0.1});
  refused("KL allowed is negative", {.max_kl = -1.0});
  refused("speedup is not above 0", {.speedup = 0.0});
  refused("needs the cost activated", {.cost = Cost::decode_ms, .activated = 0.8});
  refused("No policy is that cheap: the cheapest uses 0.", {.activated = 0.1});
  refused("of the FFNs' parameters. | Use 0.", {.ffn_activated = 0.1});
  refused("No policy decodes 9.00 times as fast", {.speedup = 9.0});
  refused("The pins alone have a predicted KL", {.max_kl = 1e-6, .pins = {{0, LayerPolicy::top(1)}}});
  check_refused("no measured decode times", [&] { solve(table, nullptr, {.cost = Cost::decode_ms}); });
  latency.dense_decode_ms = 0.1;
  refused("No policy decodes faster than the dense model in measured time", {.cost = Cost::decode_ms});
  // A speedup of 1 is met by the dense model.
  for (const LayerPolicy& layer : solve(table, &latency, {.speedup = 1.0}).layers)
    CHECK(layer.kind == LayerPolicy::Kind::dense);
}

TEST_CASE("the smallest share that a refusal names can be asked for") {
  const auto table = table_with_joint(13);
  const auto said = testing::refusal_of([&] { solve(table, nullptr, {.activated = 0.01}); });
  const auto least = std::stod(said.substr(said.find("Use ") + 4));
  const auto policy = solve(table, nullptr, {.activated = least});
  CHECK(policy.predicted.activated_fraction <= least);
  // A layer with all experts on and a router costs more than the dense one, so the refusal names no share.
  PolicyRequest pinned{.activated = 0.9};
  for (int l = 0; l < 6; ++l) pinned.pins.push_back({l, LayerPolicy::top(48)});
  check_refused("the cheapest uses 1.01 of the parameters. | Remove pins.",
                [&] { solve(table, nullptr, pinned); });
}
