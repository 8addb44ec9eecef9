#include "policy/input_cuts.h"

#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "policy/frontier.h"
#include "policy/policy_file.h"
#include "policy/predictor.h"
#include "support/random_tables.h"
#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;

namespace {

TradeoffTable table_with_cuts(std::uint64_t seed, bool joint) {
  auto table = testing::random_table({}, seed);
  testing::add_joint_points(table);
  testing::add_cuts(table, seed);
  if (joint) testing::add_joint_cuts(table);
  return table;
}

constexpr Grains only_experts{true, false, false}, no_experts{false, true, true};

bool cuts_attention(const Policy& policy) {
  return std::ranges::any_of(policy.layers, [](const LayerPolicy& layer) {
    return layer.cut(Product::qkv).threshold > 0 || layer.cut(Product::o).threshold > 0;
  });
}

bool cuts(const Policy& policy) {
  return std::ranges::any_of(policy.layers, [](const LayerPolicy& layer) { return layer.cuts_inputs(); });
}

bool has_experts(const Policy& policy) {
  return std::ranges::any_of(policy.layers,
                             [](const LayerPolicy& layer) { return layer.kind != LayerPolicy::Kind::dense; });
}

}  // namespace

TEST_CASE("grains are read with commas between them") {
  const auto all = parse_grains("all"), some = parse_grains("neurons,experts");
  CHECK((all.experts && all.neurons && all.inputs));
  CHECK((some.experts && some.neurons && !some.inputs));
  for (const char* text : {"", "expert", "experts,", "all,experts"}) {
    CAPTURE(text);
    check_refused("is not a grain. | Use all, or some of experts, neurons and inputs",
                  [&] { parse_grains(text); });
  }
}

TEST_CASE("cuts of a layer are spelled after its kind, and written to a policy file") {
  for (const char* text : {"dense+qkv0.1", "th0.031+o0.2+neurons0.05", "top3+gate_up1.5"})
    CHECK(to_string(parse_layer_policy(text)) == text);
  for (const char* text : {"dense+", "dense+x0.1", "dense+qkv", "dense+qkv-1", "qkv0.1", "dense+neurons0.1+"})
    check_refused("is not a layer's policy", [&] { parse_layer_policy(text); });
  LayerPolicy policy = LayerPolicy::above(0.25, 3);
  policy.cut(Product::down) = {0.05, 0.75};
  policy.cut(Product::o) = {0.5, 0.25};
  const auto json = to_json(policy, 4);
  CHECK(json["neurons"] == nlohmann::json{{"threshold", 0.05}, {"share", 0.75}});
  CHECK(json["inputs"] == nlohmann::json{{"o", 0.5}, {"share", {{"o", 0.25}}}});
  CHECK(layer_policy_from_json(json) == policy);
  for (const auto& [key, value, complaint] :
       {std::tuple{"neurons", nlohmann::json{{"threshold", -1}, {"share", 1}}, "threshold is negative"},
        std::tuple{"neurons", nlohmann::json{{"threshold", 1}, {"share", 2}}, "share is not between 0 and 1"},
        std::tuple{"neurons", nlohmann::json{{"threshold", 1}}, "share is missing"},
        std::tuple{"inputs", nlohmann::json{{"qkv", 1}}, "share is missing"}}) {
    auto damaged = json;
    damaged[key] = value;
    check_refused(complaint, [&] { layer_policy_from_json(damaged); });
  }
}

TEST_CASE("a policy that leaves out single inputs has the second schema, others keep the first") {
  Policy policy;
  policy.layers = {LayerPolicy::dense(), LayerPolicy::top(2)};
  CHECK(to_json(policy)["schema"] == "ladimo.policy/1");
  policy.layers[0].cut(Product::qkv) = {0.1, 0.8};
  const auto json = to_json(policy);
  CHECK(json["schema"] == "ladimo.policy/2");
  CHECK(policy_from_json(json).layers == policy.layers);
}

TEST_CASE("between rungs share and KL are interpolated, and all inputs run at threshold 0") {
  const std::vector<CutRung> rungs = {{}, {0.1, 0.9, 0.01}, {0.4, 0.5, 0.09}};
  CHECK(at_threshold(rungs, 0).share == 1);
  CHECK(at_threshold(rungs, 0.05).share == doctest::Approx(0.95));
  CHECK(at_threshold(rungs, 0.1).kl == 0.01);
  CHECK(at_threshold(rungs, 0.2).share == doctest::Approx(0.7));
  CHECK(at_threshold(rungs, 0.2).kl == doctest::Approx(0.05));
  CHECK(at_threshold(rungs, 7).share == 0.5);
}

TEST_CASE("parameters that are left out are counted by what runs") {
  const ProductSizes sizes{10, 300, 100, 40, 8, 4};
  LayerPolicy policy = LayerPolicy::above(0.1, 3);  // 20 neurons
  CHECK(sizes.running(policy) == 20);
  CHECK(sizes.left_out_of_ffn(policy) == 0);
  policy.cut(Product::qkv) = {0.1, 0.8};
  policy.cut(Product::o) = {0.1, 0.5};
  CHECK(sizes.left_out_of_attention(policy) == doctest::Approx(60 + 50));
  policy.cut(Product::gate_up) = {0.1, 0.75};
  policy.cut(Product::down) = {0.1, 0.2};  // 8 neurons
  CHECK(sizes.left_out_of_ffn(policy) == doctest::Approx(2 * 20 * 2.5 + 12 * 10));
}

TEST_CASE("with all grains budgets are kept, and KL never rises with the budget") {
  auto latency = testing::random_latency(48);
  latency.cuts = LatencyTable::Cuts{0.01, 0.6e-6};
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    for (const Cost cost : {Cost::activated, Cost::decode_ms})
      for (const bool joint : {false, true}) {
        CAPTURE(seed);
        const auto table = table_with_cuts(seed, joint);
        const Frontier frontier(table, &latency, cost);
        const auto cost_of = [&](const Policy& policy) {
          return cost == Cost::activated ? policy.predicted.activated_parameters
                                         : *policy.predicted.decode_ms;
        };
        double before = INFINITY;
        for (int i = 0; i <= 50; ++i) {
          const double budget =
              frontier.cheapest_cost() + (frontier.dense_cost() - frontier.cheapest_cost()) * i / 50;
          const Policy policy = frontier.at_budget(budget);
          REQUIRE(cost_of(policy) <= budget * (1 + 1e-9));
          if (cost == Cost::activated && i > 5)
            REQUIRE(cost_of(policy) >= budget - 0.01 * frontier.dense_cost());
          REQUIRE(policy.predicted.kl <= before);
          before = policy.predicted.kl;
        }
        CHECK(cuts(frontier.at_tradeoff(0.5)));
        CHECK(!cuts(frontier.at_tradeoff(0)));
      }
}

TEST_CASE("in milliseconds a layer pays for choosing once, however many of its products are cut") {
  auto latency = testing::random_latency(48);
  latency.cuts = LatencyTable::Cuts{0.02, 0.6e-6};
  bool several = false;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto table = table_with_cuts(seed, false);
    const Frontier frontier(table, &latency, Cost::decode_ms);
    for (const Frontier::Point& point : frontier.points(40)) {
      const Policy policy = frontier.at_budget(point.cost * (1 + 1e-9));
      CHECK(*policy.predicted.decode_ms == doctest::Approx(point.cost).epsilon(1e-6));
      for (const LayerPolicy& layer : policy.layers)
        several =
            several || (layer.cut(Product::qkv).threshold > 0 && layer.cut(Product::down).threshold > 0);
    }
  }
  CHECK(several);
}

TEST_CASE("where choosing takes more time than it saves, nothing is left out") {
  auto latency = testing::random_latency(48);
  latency.cuts = LatencyTable::Cuts{0.5, 0.6e-6};
  const auto table = table_with_cuts(1, true);
  const Frontier frontier(table, &latency, Cost::decode_ms);
  for (const double tradeoff : {0.1, 0.5, 1.0}) CHECK_FALSE(cuts(frontier.at_tradeoff(tradeoff)));
  CHECK(frontier.beats_dense());
}

TEST_CASE("a frontier uses the grains that it may use, and more of them are never worse") {
  auto table = table_with_cuts(1, false);
  table.joint.clear();  // so that a budget is the same for all grains
  const auto at = [&](const Grains& grains, bool attention) {
    return Frontier(table, nullptr, Cost::activated, {}, Kinds::mixed, {grains, attention})
        .at_budget(0.75 * Frontier(table, nullptr, Cost::activated).dense_cost());
  };
  const Policy experts = at(only_experts, true), inputs = at(no_experts, true), all = at({}, true);
  CHECK((has_experts(experts) && !cuts(experts)));
  CHECK((cuts(inputs) && !has_experts(inputs)));
  CHECK(!cuts_attention(at({}, false)));
  CHECK(cuts_attention(Frontier(table, nullptr, Cost::activated).at_tradeoff(1)));
  const auto sum_kl = [&](const Policy& policy) {
    const Predictor predictor(table, nullptr);
    double sum = 0;
    for (std::size_t l = 0; l < policy.layers.size(); ++l)
      sum += predictor.evaluate(static_cast<int>(l), policy.layers[l]).kl;
    return sum;
  };
  CHECK(sum_kl(all) <= sum_kl(inputs));
  CHECK(sum_kl(all) <= sum_kl(experts));
  CHECK(sum_kl(at({}, true)) <= sum_kl(at({}, false)));
}

TEST_CASE("experts that count more than their single KLs are used less beside other grains") {
  auto table = table_with_cuts(1, true);
  const auto chosen = [&] { return Frontier(table, nullptr, Cost::activated).at_tradeoff(0.5); };
  const auto sparse_layers = [](const Policy& policy) {
    return std::ranges::count_if(
        policy.layers, [](const LayerPolicy& layer) { return layer.kind != LayerPolicy::Kind::dense; });
  };
  const Policy plain = chosen();
  REQUIRE(sparse_layers(plain) > 0);
  table.expert_price = 1.5;
  const Policy priced = chosen();
  CHECK(sparse_layers(priced) <= sparse_layers(plain));
  CHECK(Predictor(table, nullptr).numbers(plain.layers).kl > plain.predicted.kl);
  CHECK(Predictor(table, nullptr).numbers(plain.layers).kl >= priced.predicted.kl);
  CHECK(tradeoff_table_from_json(to_json(table)).expert_price == 1.5);
  table.expert_price = 1000;
  CHECK(sparse_layers(chosen()) == 0);
}

TEST_CASE("experts alone are solved as in a table without cuts") {
  auto table = table_with_cuts(2, true);
  table.expert_price = 2;  // counts only beside other grains
  const Policy with =
      Frontier(table, nullptr, Cost::activated, {}, Kinds::mixed, {only_experts}).at_tradeoff(0.5);
  table.sizes.reset();
  table.joint_cuts.clear();
  for (LayerTable& layer : table.layers) layer.cuts = {};
  CHECK(to_json(with) == to_json(Frontier(table, nullptr, Cost::activated).at_tradeoff(0.5)));
}

TEST_CASE("a share of the FFNs' parameters is met without touching the attention") {
  const auto table = table_with_cuts(3, true);
  PolicyRequest request;
  request.ffn_activated = 0.6;
  const Policy policy = solve(table, nullptr, request);
  CHECK(!cuts_attention(policy));
  CHECK(cuts(policy));
  CHECK(policy.predicted.ffn_activated <= 0.6);
  CHECK(policy.predicted.ffn_activated > 0.59);
}

TEST_CASE("a pin may leave out inputs, and a run that knows nothing of them refuses it") {
  auto table = table_with_cuts(4, false);
  const Pin pin = parse_pin("2=dense+gate_up0.1+qkv0.1");
  const Policy policy = Frontier(table, nullptr, Cost::activated, {pin}).at_tradeoff(0.3);
  CHECK(policy.layers[2].cut(Product::gate_up).threshold == 0.1);
  CHECK(policy.layers[2].cut(Product::gate_up).share < 1);
  CHECK(policy.layers[2].cut(Product::down).threshold == 0);
  table.sizes.reset();
  check_refused("This run has no data about inputs and neurons",
                [&] { Frontier(table, nullptr, Cost::activated, {pin}); });
}

TEST_CASE("a table with cuts is read back, and a damaged one is refused with the place") {
  auto table = table_with_cuts(5, true);
  const auto written = to_json(table);
  CHECK(to_json(tradeoff_table_from_json(nlohmann::json::parse(written.dump()))) == written);
  for (const auto& [damage, complaint] :
       {std::pair{nlohmann::json::array(), "does not begin with all inputs"},
        std::pair{nlohmann::json{{{"threshold", 0.0}, {"share", 1.0}, {"kl", -1.0}}}, "kl is negative"},
        std::pair{nlohmann::json{{{"threshold", 0.0}, {"share", 1.0}, {"kl", 0.0}},
                                 {{"threshold", 0.0}, {"share", 0.5}, {"kl", 0.0}}},
                  "threshold does not rise from 0"}}) {
    auto damaged = written;
    damaged["layers"][1]["cuts"]["o"] = damage;
    check_refused(complaint, [&] { tradeoff_table_from_json(damaged); });
  }
}
