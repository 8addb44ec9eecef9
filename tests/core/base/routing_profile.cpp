#include "policy/routing_profile.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using nlohmann::json;

namespace {

LayerProfile healthy() {
  LayerProfile profile;
  profile.layer = 3;
  profile.routed = 8;
  profile.all.assign(histogram_bins + 2, 1);
  profile.top1 = profile.all;
  profile.expert_load.assign(8, 0.5);
  profile.mean_weight.assign(8, 0.1);
  profile.coactivation.assign(64, 0.5);
  profile.entropy = 1;
  return profile;
}

}  // namespace

TEST_CASE("a healthy router gives no warning") {
  auto profile = healthy();
  CHECK(router_warnings(profile).empty());
  // The correlation of nearly equal loads is chance, so it gives no warning.
  const std::vector<double> usual = {0.52, 0.48, 0.52, 0.48, 0.52, 0.48, 0.52, 0.48};
  const std::vector<double> other = {0.48, 0.52, 0.48, 0.52, 0.48, 0.52, 0.48, 0.52};
  profile.stability = -1;
  profile.domain_load = {usual, other};
  CHECK(router_warnings(profile).empty());
  // A third text that calls the same experts more often gives no warning either.
  profile.domain_load.push_back(usual);
  for (double& load : profile.domain_load.back()) load = 0.9 * load + 0.4;
  CHECK(router_warnings(profile).empty());
}

TEST_CASE("a degenerate router gives a warning with what to change") {
  const auto warned = [](void (*change)(LayerProfile&)) {
    auto profile = healthy();
    change(profile);
    const auto warnings = router_warnings(profile);
    REQUIRE(warnings.size() == 1);
    CHECK(warnings.front().message.find("Layer 3") == 0);
    return warnings.front().message + " | " + warnings.front().hint;
  };
  CHECK(warned([](LayerProfile& p) {
          p.dead = {1, 5, 7};
        }).find("3 of 8 routed experts never run (1, 5, 7)") != std::string::npos);
  CHECK(warned([](LayerProfile& p) {
          p.always_on = {0, 1, 2, 3, 4, 5, 6, 7};
        }).find("(0, 1, 2, 3, 4, 5 and 2 more)") != std::string::npos);
  CHECK(warned([](LayerProfile& p) {
          p.expert_load = {0.99, 0.99, 0.99, 0.99, 0.01, 0.01, 0.01, 0.01};
        }).find("decides 4 % of what it could") != std::string::npos);
  CHECK(
      warned([](LayerProfile& p) {
        p.stability = -1;
        p.domain_load = {{0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9}, {0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1}};
      }).find("correlate by -1") != std::string::npos);
}

TEST_CASE("a profile is read back completely; one of an earlier version has no loads by file") {
  auto layer = healthy();
  layer.domain_load = {{0.25, 0.75}, {0.5, 0.5}};
  layer.stability = 0.25;
  layer.dead = {0, 1, 2};
  layer.warnings = router_warnings(layer);
  REQUIRE(layer.warnings.size() == 1);
  layer.loads = {{LayerPolicy::above(0.02), std::vector<double>(8, 0.75), {}},
                 {LayerPolicy::top(3), std::vector<double>(8, 0.375), {std::vector<double>(8, 0.25)}}};
  const json written = to_json(RoutingProfile{100, {layer}});
  CHECK(written["layers"][0]["warnings"][0]["hint"].get<std::string>().find("--experts") !=
        std::string::npos);
  CHECK(routing_profile_from_json(written).layers[0].warnings[0].hint == layer.warnings[0].hint);
  CHECK(to_json(routing_profile_from_json(written)) == written);
  json earlier = written;
  for (const char* key : {"stability", "domain_load", "loads", "warnings"}) earlier["layers"][0].erase(key);
  CHECK(routing_profile_from_json(earlier).layers[0].stability == 1);
  json broken = written;
  broken["layers"][0]["domain_load"] = {3};
  check_refused("domain_load is not a list of lists of numbers", [&] { routing_profile_from_json(broken); });
  broken = written;
  broken["layers"][0]["loads"][0]["experts"].push_back(1);
  check_refused("loads[0].experts does not have", [&] { routing_profile_from_json(broken); });
  broken = written;
  broken["layers"][0]["loads"][0]["policy"] = "top2";
  check_refused("loads does not have the same number of files", [&] { routing_profile_from_json(broken); });
}

TEST_CASE("the load under any policy lies between the loads that were counted") {
  LayerProfile profile;
  CHECK_FALSE(load_under(profile, LayerPolicy::top(2)));
  profile.loads = {{LayerPolicy::above(-0.1), {1, 1}, {{1, 1}, {1, 1}}},
                   {LayerPolicy::above(0.3), {0.8, 0.4}, {{0.6, 0.4}, {1, 0.4}}},
                   {LayerPolicy::top(2), {1, 1}, {}},
                   {LayerPolicy::top(0), {0, 0}, {}}};
  const auto experts = [&](const LayerPolicy& policy) { return load_under(profile, policy)->experts; };
  CHECK(experts(LayerPolicy::above(-1)) == std::vector<double>{1, 1});
  CHECK(experts(LayerPolicy::above(0.3)) == std::vector<double>{0.8, 0.4});
  CHECK(experts(LayerPolicy::above(0.1))[1] == doctest::Approx(0.7));
  CHECK(load_under(profile, LayerPolicy::above(0.1))->by_file[0][0] == doctest::Approx(0.8));
  CHECK(experts(LayerPolicy::above(0.45))[0] == doctest::Approx(0.4));  // none runs at twice the last
  CHECK(experts(LayerPolicy::above(3)) == std::vector<double>{0, 0});
  CHECK(experts(LayerPolicy::top(1)) == std::vector<double>{0.5, 0.5});
  CHECK(load_under(profile, LayerPolicy::top(1))->policy.k == 1);
  CHECK_FALSE(load_under(profile, LayerPolicy::dense()));
}
