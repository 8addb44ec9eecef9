// Policies of MoE classes: what a class can express, what its layers cost, and the best policy for a budget.
#include "policy/class_policies.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/error.h"
#include "policy/moe_class.h"
#include "support/random_tables.h"
#include "support/refusals.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

using Kind = LayerPolicy::Kind;

MoeShape class_shape() {
  MoeShape shape;
  shape.hidden_size = 100;
  shape.shared_neurons = 850;
  shape.routed = 48;
  shape.expert_neurons = 52;
  return shape_in(moe_class_named("glm4moe"), shape);
}

std::int64_t dense_layers(const Policy& policy) {
  return std::ranges::count(policy.layers, Kind::dense, &LayerPolicy::kind);
}

}  // namespace

TEST_CASE("a class says which policies it cannot have") {
  const MoeLimits none{}, leading{DenseLayers::leading, true}, any{DenseLayers::any, false};
  const auto dense = LayerPolicy::dense(), top2 = LayerPolicy::top(2), top3 = LayerPolicy::top(3);
  CHECK(!objection(none, {top2, top2}));
  CHECK(objection(none, {dense, top2})->find("layer 0 dense") != std::string::npos);
  CHECK(objection(none, {top2, top3})->find("2 to 3") != std::string::npos);
  CHECK(objection(none, {top2, LayerPolicy::above(0.1)})->find("thresholds") != std::string::npos);
  CHECK(!objection(leading, {dense, top2, top3}));
  CHECK(objection(leading, {top2, dense, top2})->find("layer 1") != std::string::npos);
  CHECK(!objection(any, {top2, dense, top2}));
  CHECK(objection(any, {dense, dense})->find("every layer is dense") != std::string::npos);
  CHECK(objection(any, {LayerPolicy::top(0)}));
  auto cut = top2;
  cut.cut(Product::down) = {0.1, 0.5};
  CHECK(objection(any, {cut})->find("inputs") != std::string::npos);
}

TEST_CASE("llama.cpp has room for so many experts of a token, and policies keep that") {
  const auto most = [](const char* name, std::int64_t layers, bool shared = true) {
    return most_experts_in_gguf(moe_class_named(name), layers, shared);
  };
  CHECK(most("glm4moe", 60) == 29);  // it starts with 31 and not with 32, as measured
  CHECK(most("granitemoeshared", 60) == 22);
  CHECK(most("mixtral", 60) == 14);
  CHECK(most("qwen2moe", 60) == 28);
  CHECK(most("mixtral", 4) == 102);  // 1024 nodes at least
  CHECK(most("granitemoeshared", 60, false) == 12);
  CHECK(most("glm4moe", 60, false) == 29);  // it has one all the same
  CHECK(experts_for_shared(moe_class_named("mixtral"), 100, 30) == 4);
  CHECK(experts_for_shared(moe_class_named("glm4moe"), 100, 30) == 0);
  const MoeLimits limits{DenseLayers::none, false, 5};
  CHECK(!objection(limits, {LayerPolicy::top(5), LayerPolicy::top(5)}));
  CHECK(objection(limits, {LayerPolicy::top(6), LayerPolicy::top(6)})->find("at most 5 routed experts") !=
        std::string::npos);
  const ClassPolicies policies(random_table({}, 3), limits, class_shape());
  for (const Policy& policy : policies.all()) CHECK(!objection(limits, policy.layers));
  check_refused("no room for routed ones", [&] {
    ClassPolicies(random_table({}, 3), {DenseLayers::none, false, 0}, class_shape());
  });
}

TEST_CASE("what a layer costs in a class: a linear router, sizes in steps, nothing for what is skipped") {
  MoeShape shape;
  shape.hidden_size = 10;
  shape.shared_neurons = 5;
  shape.routed = 4;
  shape.expert_neurons = 3;
  shape.router_parameters = 7;
  shape.skipped_parameters = 10;
  const auto glm = shape_in(moe_class_named("glm4moe"), shape);
  CHECK(glm.expert_neurons == 8);
  CHECK(glm.shared_neurons == 8);
  CHECK(glm.router_parameters == 4 * 10 + 4);
  CHECK(glm.activated_parameters(2) == 44 + 3 * 10 * (8 + 2 * 8));
  const auto granite = shape_in(moe_class_named("granitemoeshared"), shape);
  CHECK(granite.router_parameters == 40);
  CHECK(granite.skipped_parameters == 0);
  const auto mixtral = shape_in(moe_class_named("mixtral"), shape);
  CHECK(mixtral.shared_neurons == 2 * 8);  // 5 neurons are two experts of 3
  CHECK(mixtral.router_parameters == 6 * 10);
  shape.shared_neurons = 0;
  CHECK(shape_in(moe_class_named("glm4moe"), shape).shared_neurons == 8);
  CHECK(shape_in(moe_class_named("granitemoeshared"), shape).shared_neurons == 0);
  CHECK_THROWS_AS(moe_class_named("llama"), Refusal);
}

TEST_CASE("policies of a class keep its limits, and a dearer one is never worse") {
  for (const auto dense : {DenseLayers::none, DenseLayers::leading, DenseLayers::any}) {
    const MoeLimits limits{dense, false};
    const auto table = random_table({}, 3);
    const ClassPolicies policies(table, limits, class_shape());
    REQUIRE(policies.all().size() > 10);
    double cost = 0, kl = 1e9;
    for (const Policy& policy : policies.all()) {
      CHECK(!objection(limits, policy.layers));
      CHECK(policy.predicted.activated_fraction >= cost);
      CHECK(policy.predicted.kl < kl);
      cost = policy.predicted.activated_fraction;
      kl = policy.predicted.kl;
    }
    const Policy& half = policies.at_activated(0.7);
    CHECK(half.predicted.activated_fraction <= 0.7);
    const auto next = std::ranges::find_if(
        policies.all(), [](const Policy& policy) { return policy.predicted.activated_fraction > 0.7; });
    CHECK((next == policies.all().end() || next->predicted.kl < half.predicted.kl));
    CHECK(policies.at_activated(0).layers == policies.all().front().layers);
    CHECK(policies.at_tradeoff(1).layers == policies.all().front().layers);
    CHECK(policies.at_max_kl(kl)->layers == policies.all().back().layers);
    CHECK(!policies.at_max_kl(kl / 2));
  }
}

TEST_CASE("more freedom for dense layers is never worse at a cost") {
  const auto table = random_table({}, 4);
  const auto at = [&](DenseLayers dense) {
    return ClassPolicies(table, {dense, false}, class_shape()).at_activated(0.75).predicted.kl;
  };
  CHECK(at(DenseLayers::leading) <= at(DenseLayers::none));
  CHECK(at(DenseLayers::any) <= at(DenseLayers::leading) + 1e-12);
}

TEST_CASE("layers that were not converted stay dense, or the class is refused") {
  auto table = random_table({}, 5);
  table.layers[1].candidates.resize(1);
  CHECK_THROWS_AS(ClassPolicies(table, {DenseLayers::none, false}, class_shape()), Refusal);
  const ClassPolicies leading(table, {DenseLayers::leading, true}, class_shape());
  for (const Policy& policy : leading.all()) {
    CHECK(policy.layers[0].kind == Kind::dense);
    CHECK(policy.layers[1].kind == Kind::dense);
  }
  const ClassPolicies any(table, {DenseLayers::any, false}, class_shape());
  CHECK(dense_layers(any.all().front()) == 1);
  for (auto& layer : table.layers) layer.candidates.resize(1);
  CHECK_THROWS_AS(ClassPolicies(table, {DenseLayers::any, false}, class_shape()), Refusal);
}

TEST_CASE("a layer without routed experts counts among the ks of a policy") {
  const auto dense = LayerPolicy::dense(), none = LayerPolicy::top(0), top4 = LayerPolicy::top(4);
  for (const ModelPolicy& policy : {ModelPolicy{none, top4, top4}, ModelPolicy{dense, top4, none, top4}}) {
    CHECK(ks_of(policy).least == 0);
    CHECK(ks_of(policy).most == 4);
  }
  CHECK(k_in_words({dense, none, top4}) == "k = 0 to 4, 1 layer dense");
  CHECK(ks_of({dense, dense}).most == 0);
}

TEST_CASE("a class that can leave only the first layers dense names the layer that prevents it") {
  auto table = random_table({}, 5);
  table.layers.front().candidates.resize(1);
  table.layers.back().candidates.resize(1);
  check_refused(fmt::format("Layer {} was not converted", table.layers.size() - 1), [&] {
    ClassPolicies(table, {DenseLayers::leading, true}, class_shape());
  });
}

TEST_CASE("a request for a class has a budget of parameters or of KL") {
  const ClassPolicies policies(random_table({}, 6), {DenseLayers::leading, true}, class_shape());
  PolicyRequest request;
  request.activated = 0.8;
  CHECK(solve(policies, request).predicted.activated_fraction <= 0.8);
  request.activated = 0.01;
  CHECK_THROWS_AS(solve(policies, request), Refusal);
  request = {};
  request.ffn_activated = 0.6;
  const auto found = solve(policies, request).predicted;
  CHECK(found.ffn_activated <= 0.6 + 1e-9);
  CHECK(found.ffn_activated > 0.5);
  request = {};
  request.speedup = 1.1;
  CHECK_THROWS_AS(solve(policies, request), Refusal);
  request = {};
  request.max_kl = 0;
  CHECK_THROWS_AS(solve(policies, request), Refusal);
  check_refused("not between 0 and 1", [&] { solve(policies, {.tradeoff = 5}); });
  check_refused("experts alone", [&] { solve(policies, {.grains = {false, true, true}}); });
  check_refused("top-k alone", [&] { solve(policies, {.kinds = Kinds::threshold}); });
  CHECK(solve(policies, {.kinds = Kinds::top_k, .grains = {true, false, false}}).layers ==
        solve(policies, {}).layers);
}
