#include "policy/tradeoff_table.h"

#include <functional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "policy/routing_profile.h"
#include "support/random_tables.h"
#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using nlohmann::json;

namespace {

using Damage = std::function<void(json&)>;

RoutingProfile small_profile() {
  LayerProfile layer;
  layer.layer = 3;
  layer.routed = 2;
  layer.shared_neurons = 16;
  layer.expert_neurons = 8;
  layer.output_norm = 1.0 / 3;
  layer.all.assign(histogram_bins + 2, 5);
  layer.top1.assign(histogram_bins + 2, 1);
  layer.middle_threshold = 0.05;
  layer.expert_load = {0.4, 0.6};
  layer.mean_weight = {0.1, 0.2};
  layer.coactivation = {1, 0.5, 0.3, 1};
  layer.entropy = 0.97;
  layer.always_on = {1};
  return {12288, {layer}};
}

}  // namespace

TEST_CASE("a trade-off table is read back to the last bit") {
  auto table = testing::random_table({}, 3);
  testing::add_joint_points(table);
  table.layers[2].candidates.resize(1);  // not converted
  const json written = to_json(table);
  const auto read = tradeoff_table_from_json(json::parse(written.dump(2)));
  CHECK(to_json(read) == written);
  CHECK(read.rank_correlation == -2);
  CHECK(read.layers[1].candidates[4].kl == table.layers[1].candidates[4].kl);
  CHECK(read.layers[1].candidates[4].policy == table.layers[1].candidates[4].policy);
  CHECK(read.joint.back().activated == table.joint.back().activated);
  table.rank_correlation = 0.999;
  CHECK(tradeoff_table_from_json(to_json(table)).rank_correlation == 0.999);
}

TEST_CASE("a damaged trade-off table is refused with the place") {
  const json good = to_json(testing::random_table({}, 3));
  const std::pair<const char*, Damage> damages[] = {
      {"it is not a JSON object", [](json& j) { j = json::array(); }},
      {"fingerprint is missing", [](json& j) { j.erase("fingerprint"); }},
      {"dense_nll is not a number", [](json& j) { j["dense_nll"] = "3"; }},
      {"other_activated is not a number", [](json& j) { j["other_activated"] = nullptr; }},
      {"dense_nll is not finite", [](json& j) { j["dense_nll"] = std::nan(""); }},
      {"layers is not a list", [](json& j) { j["layers"] = 3; }},
      {"layers[1].layer does not count up", [](json& j) { j["layers"][1]["layer"] = 7; }},
      {"layers[2].candidates does not begin with dense",
       [](json& j) { j["layers"][2]["candidates"].erase(0); }},
      {"layers[2].candidates[3].kl is negative",
       [](json& j) { j["layers"][2]["candidates"][3]["kl"] = -0.1; }},
      {"layers[0].candidates[1].activated is missing",
       [](json& j) { j["layers"][0]["candidates"][1].erase("activated"); }},
      {"kind is not one of", [](json& j) { j["layers"][0]["candidates"][1]["kind"] = "soft"; }},
      {"joint is missing", [](json& j) { j.erase("joint"); }},
  };
  for (const auto& [part, damage] : damages) {
    json bad = good;
    damage(bad);
    check_refused(part, [&] { tradeoff_table_from_json(bad); });
  }
}

TEST_CASE("a latency table is read back, and its times never fall with more experts") {
  auto latency = testing::random_latency(48);
  latency.points[4].decode_ms = latency.points[3].decode_ms - 0.02;  // noise
  const auto read = latency_table_from_json(json::parse(to_json(latency).dump()));
  CHECK(to_json(read) == to_json(latency));
  CHECK(read.decode_ms(LayerPolicy::dense()) == 1);
  CHECK(read.prefill_ms(LayerPolicy::dense()) == 0.1);
  CHECK(read.decode_ms(LayerPolicy::top(0)) == 0.35);
  CHECK(read.decode_ms(LayerPolicy::above(0.1, 48)) == doctest::Approx(1.15));
  CHECK(read.prefill_ms(LayerPolicy::top(24)) == doctest::Approx(0.09));
  double before = 0;
  for (int k = 0; k <= 48; ++k) {
    CHECK(read.decode_ms(LayerPolicy::top(k)) >= before);
    before = read.decode_ms(LayerPolicy::top(k));
  }
}

TEST_CASE("times that were measured beside busy programs are doubted") {
  auto latency = testing::random_latency(48);
  CHECK_FALSE(latency.doubt());
  latency.other_load = 0.05;
  CHECK_FALSE(latency.doubt());
  latency.other_load = 0.43;
  const auto read = latency_table_from_json(json::parse(to_json(latency).dump()));
  REQUIRE(read.doubt());
  CHECK(read.doubt()->message.find("Other programs used 43 %") == 0);
  CHECK(read.doubt()->hint.find("latency.json") != std::string::npos);
}

TEST_CASE("decode times of more sequences and of longer contexts are those of the grid") {
  auto latency = testing::random_latency(48);
  check_refused("only times of one sequence", [&] { latency.at(1, 0); });
  latency.cuts = LatencyTable::Cuts{0.01, 1e-6};
  latency.grid = LatencyTable::Grid{
      8, 1008, {{1, 1, 2, 3, {{0, 0.3}, {48, 1.2}}}, {4, 1.5, 2.5, 6.5, {{0, 0.9}, {24, 1.4}, {48, 1.6}}}}};
  const auto written = to_json(latency);
  const auto read = latency_table_from_json(written);
  CHECK(to_json(read) == written);

  // A step of four sequences takes 2.5 ms outside the FFNs after 8 tokens, and 4 ms more after 1,000 more.
  const LatencyTable four = read.at(4, 258);
  CHECK(four.other_decode_ms == doctest::Approx(3.5));
  CHECK_FALSE(four.cuts);  // four sequences read nearly every input
  CHECK(read.at(1, 258).cuts->saved_ms(50000) == doctest::Approx(0.04));
  CHECK(four.decode_ms(LayerPolicy::dense()) == doctest::Approx(1.5));
  CHECK(four.decode_ms(LayerPolicy::top(24)) == doctest::Approx(1.4));
  CHECK(four.decode_ms(LayerPolicy::top(36)) == doctest::Approx(1.51875));  // a cubic, not a line
  CHECK(read.at(4, 8).other_decode_ms == doctest::Approx(2.5));
  CHECK(read.at(4, 2008).other_decode_ms == doctest::Approx(10.5));
  CHECK(read.at(1, 1008).other_decode_ms == doctest::Approx(3));
  // Reading a prompt is not decoding.
  CHECK(four.other_prefill_ms == read.other_prefill_ms);
  CHECK(four.prefill_ms(LayerPolicy::top(24)) == doctest::Approx(read.prefill_ms(LayerPolicy::top(24))));
  check_refused("3 sequences at a time was not measured", [&] { read.at(3, 0); });

  const std::pair<const char*, Damage> damages[] = {
      {"grid.long_context is not more than", [](json& j) { j["grid"]["long_context"] = 8; }},
      {"grid.batches[1].batch does not rise", [](json& j) { j["grid"]["batches"][1]["batch"] = 1; }},
      {"grid.batches[0].points is empty", [](json& j) { j["grid"]["batches"][0]["points"] = json::array(); }},
      {"grid.batches[1].points[2].mean_experts does not rise",
       [](json& j) { j["grid"]["batches"][1]["points"][2]["mean_experts"] = 24; }}};
  for (const auto& [part, damage] : damages) {
    json bad = written;
    damage(bad);
    check_refused(part, [&] { latency_table_from_json(bad); });
  }
  // Tables of earlier versions have no grid.
  json earlier = written;
  earlier.erase("grid");
  CHECK_FALSE(latency_table_from_json(earlier).grid);
}

TEST_CASE("a damaged latency table is refused") {
  json bad = to_json(testing::random_latency(48));
  bad["points"][3]["mean_experts"] = 0;
  check_refused("points[3].mean_experts does not rise", [&] { latency_table_from_json(bad); });
  bad["points"] = json::array();
  const auto empty = latency_table_from_json(bad);
  check_refused("has no measured points", [&] { empty.decode_ms(LayerPolicy::top(1)); });
  bad.erase("machine");
  check_refused("machine is missing", [&] { latency_table_from_json(bad); });
}

TEST_CASE("a routing profile is read back; other bins are refused") {
  const json written = to_json(small_profile());
  CHECK(to_json(routing_profile_from_json(json::parse(written.dump()))) == written);
  const std::pair<const char*, Damage> damages[] = {
      {"edges_id has other bins", [](json& j) { j["edges_id"] = "log10:-3:1:256"; }},
      {"layers[0].all does not have the bins", [](json& j) { j["layers"][0]["all"].erase(0); }},
      {"layers[0].expert_load does not have one number",
       [](json& j) { j["layers"][0]["expert_load"].push_back(1); }},
      {"layers[0].coactivation does not have", [](json& j) { j["layers"][0]["coactivation"].erase(0); }},
      {"layers[0].dead is not an integer", [](json& j) { j["layers"][0]["dead"] = {0.5}; }},
  };
  for (const auto& [part, damage] : damages) {
    json bad = written;
    damage(bad);
    check_refused(part, [&] { routing_profile_from_json(bad); });
  }
}

TEST_CASE("single layers are measured on a share of the windows: at least four, and one of every file") {
  const auto both = [](std::int64_t windows, std::int64_t files) {
    return std::pair(activity_windows(windows, files), sensitivity_windows(windows, files));
  };
  CHECK(both(48, 2) == std::pair<std::int64_t, std::int64_t>(24, 6));
  CHECK(both(49, 2) == std::pair<std::int64_t, std::int64_t>(25, 7));
  CHECK(both(6, 1) == std::pair<std::int64_t, std::int64_t>(4, 4));
  CHECK(both(1, 1) == std::pair<std::int64_t, std::int64_t>(1, 1));
  CHECK(both(12, 12) == std::pair<std::int64_t, std::int64_t>(12, 12));
}
