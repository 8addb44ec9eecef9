#include "ui/models/run_data.h"

#include <doctest/doctest.h>

#include <functional>

#include "example_run.h"
#include "support/refusals.h"

using namespace ladimo;
using namespace ladimo::ui;
using nlohmann::json;
using testing::example_policy;
using testing::example_show;

TEST_CASE("a finished run is read completely") {
  json show = example_show();
  show["policies"]["calm"] = to_json(example_policy());
  show["measurements"].push_back(to_json(testing::example_measurement(example_policy(), 0.021)));
  const auto run = testing::run_of(show);
  CHECK(run->name() == "example");
  CHECK(run->layer_count() == 6);
  CHECK(run->recipe.experts == 64);
  REQUIRE(run->records().size() == 6);
  CHECK(run->record_of(3)->loss_after == doctest::Approx(0.0336));
  CHECK(run->profile_of(5)->routed == 48);
  CHECK(run->policy->layers == example_policy().layers);
  CHECK(run->latency->machine == "Example processor");
  CHECK(run->policies.at("calm").layers == example_policy().layers);
  REQUIRE(run->measurements.size() == 1);
  const Measurement& found = run->measurements[0];
  CHECK(found.numbers.kl == 0.021);
  CHECK(found.split == EvaluatedText::checking);
  CHECK(found.kl_percentiles[1] == 0.07);
  CHECK_FALSE(found.numbers.decode_ms);
}

TEST_CASE("parts that a run does not have yet are absent") {
  json show = example_show();
  for (const char* key : {"profile", "tradeoff", "latency", "policy"}) show[key] = nullptr;
  show["layers"] = json::array({show["layers"][0], {{"layer", 1}, {"done", false}}});
  const auto run = testing::run_of(show);
  CHECK(run->records().size() == 1);
  CHECK(run->record_of(1) == nullptr);
  CHECK(run->profile_of(0) == nullptr);
  CHECK_FALSE(run->tradeoff);
  CHECK_FALSE(run->policy);
  CHECK(run->layer_count() == 6);
}

TEST_CASE("output that is not a run is refused with a reason") {
  const struct {
    const char* sentence;
    std::function<void(json&)> damage;
  } rows[] = {
      {"recipe", [](json& show) { show.erase("recipe"); }},
      {"kind is not one of", [](json& show) { show["policy"]["layers"][1]["kind"] = "magic"; }},
      {"another checkpoint", [](json& show) { show["policy"]["model"]["fingerprint"] = "ffff"; }},
      {"cannot run 99",
       [](json& show) {
         show["policies"]["wild"] = to_json(example_policy());
         show["policies"]["wild"]["layers"][1] = {{"layer", 1}, {"kind", "top_k"}, {"k", 99}};
       }},
      {"measurement",
       [](json& show) {
         show["measurements"].push_back(to_json(testing::example_measurement(example_policy(), 0.02)));
         show["measurements"][0].erase("tokens");
       }},
      {"loss_refit", [](json& show) { show["layers"][2].erase("loss_refit"); }},
      {"record of layer 6", [](json& show) { show["layers"][2]["layer"] = 6; }},
      {"has a layer 6", [](json& show) { show["profile"]["layers"][2]["layer"] = 6; }},
      {"has a layer -1", [](json& show) { show["profile"]["layers"][2]["layer"] = -1; }},
      {"another number of routed experts", [](json& show) { show["tradeoff"]["routed"] = 47; }},
      {"no measured points", [](json& show) { show["latency"]["points"] = json::array(); }},
      {"cannot run 99",
       [](json& show) {
         show["measurements"].push_back(to_json(testing::example_measurement(example_policy(), 0.02)));
         show["measurements"][0]["policy"]["layers"][1] = {{"layer", 1}, {"kind", "top_k"}, {"k", 99}};
       }},
  };
  for (const auto& row : rows) {
    json show = example_show();
    row.damage(show);
    CAPTURE(row.sentence);
    const std::string said = testing::refusal_of([&] { testing::run_of(show); });
    CHECK_MESSAGE(said.find(row.sentence) != std::string::npos, said);
  }
  for (const char* bytes : {"", "[1, 2", "[]"})
    CHECK_FALSE(testing::refusal_of([&] { read_run(bytes, "run"); }).empty());
}
