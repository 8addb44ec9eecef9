#include "policy/policy_file.h"

#include <functional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using nlohmann::json;

namespace {

// The format of docs/formats.md, spelled out because other programs read it.
constexpr const char* sample = R"({
  "schema": "ladimo.policy/1",
  "model": {"layers": 3, "fingerprint": "abc"},
  "cost": "activated",
  "tradeoff": 0.4,
  "layers": [
    {"layer": 0, "kind": "dense"},
    {"layer": 1, "kind": "top_k", "k": 3},
    {"layer": 2, "kind": "threshold", "threshold": 0.031, "mean_experts": 2.7}
  ],
  "predicted": {"kl": 0.02, "perplexity": 30.5, "decode_ms": null, "prefill_ms": null,
                "activated_parameters": 800.5, "activated_fraction": 0.8, "ffn_activated": 0.69},
  "measured": null
})";

Policy sample_policy() {
  Policy policy{"abc", Cost::activated, 0.4, {}, {0.02, 30.5, {}, {}, 800.5, 0.8, 0.69}, {}};
  policy.layers = {LayerPolicy::dense(), LayerPolicy::top(3), LayerPolicy::above(0.031, 2.7)};
  return policy;
}

}  // namespace

TEST_CASE("the policy file has the documented format") {
  CHECK(to_json(sample_policy()) == json::parse(sample));
  const Policy read = policy_from_json(json::parse(sample));
  CHECK(to_json(read) == json::parse(sample));
  CHECK(read.layers == sample_policy().layers);
  CHECK_FALSE(read.measured);
  CHECK_FALSE(read.predicted.decode_ms);
}

TEST_CASE("times and measured numbers survive a round trip") {
  Policy policy = sample_policy();
  policy.cost = Cost::decode_ms;
  policy.predicted.decode_ms = 12.5;
  policy.measured = policy.predicted;
  policy.measured->kl = 0.021;
  const Policy read = policy_from_json(to_json(policy));
  CHECK(read.cost == Cost::decode_ms);
  CHECK(read.predicted.decode_ms == 12.5);
  CHECK(read.measured->kl == 0.021);
  CHECK_FALSE(read.decoding);
  policy.decoding = Decoding{8, 1024};
  const json written = to_json(policy);
  CHECK(written["decoding"] == json{{"batch", 8}, {"context", 1024}});
  CHECK(to_json(policy_from_json(written)) == written);
}

TEST_CASE("broken policy files are refused with file and key") {
  const std::pair<const char*, std::function<void(json&)>> damages[] = {
      {"it is not a JSON object", [](json& j) { j = 3; }},
      {"schema is missing", [](json& j) { j.erase("schema"); }},
      {"schema is neither ladimo.policy/1 nor ladimo.policy/2",
       [](json& j) { j["schema"] = "ladimo.policy/9"; }},
      {"\"speed\" is not a cost", [](json& j) { j["cost"] = "speed"; }},
      {"model.fingerprint is missing", [](json& j) { j["model"].erase("fingerprint"); }},
      {"layers has another number of layers", [](json& j) { j["model"]["layers"] = 4; }},
      {"layers[1].layer does not count up", [](json& j) { j["layers"][1]["layer"] = 0; }},
      {"k is missing", [](json& j) { j["layers"][1].erase("k"); }},
      {"predicted.kl is not a number", [](json& j) { j["predicted"]["kl"] = "low"; }},
      {"measured is not a JSON object", [](json& j) { j["measured"] = 3; }},
      {"pinned is not a rising list of layers",
       [](json& j) {
         j["pinned"] = {1, 0};
       }},
      {"pinned is not a rising list of layers", [](json& j) { j["pinned"] = {3}; }},
  };
  for (const auto& [part, damage] : damages) {
    json bad = json::parse(sample);
    damage(bad);
    check_refused(part, [&] { policy_from_json(bad, "p.json"); });
    try {
      policy_from_json(bad, "p.json");
    } catch (const Refusal& refusal) {
      CHECK(refusal.path() == "p.json");
    }
  }
}

TEST_CASE("a policy for another model is refused") {
  testing::TemporaryFolder folder;
  const auto file = folder / "policy.json";
  write_json(file, json::parse(sample));
  CHECK(read_policy(file, "abc", 3).layers.size() == 3);
  check_refused("for a model of 3 layers; this one has 6", [&] { read_policy(file, "abc", 6); });
  check_refused("made for another checkpoint", [&] { read_policy(file, "xyz", 3); });
  CHECK_THROWS_AS(read_policy(folder / "none.json", "abc", 3), Refusal);
}

TEST_CASE("costs are written and read") {
  for (const Cost cost : {Cost::activated, Cost::decode_ms}) CHECK(parse_cost(to_string(cost)) == cost);
  check_refused("\"time\" is not a cost", [] { parse_cost("time"); });
}
