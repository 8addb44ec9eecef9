#include "run/run_view.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/random_tables.h"
#include "support/refusals.h"
#include "support/sample_run.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using ladimo::testing::SampleRun;
using nlohmann::json;
namespace fs = std::filesystem;

TEST_CASE("show holds everything a window needs") {
  const SampleRun sample;
  json shown = to_json(view_run(sample.run));
  CHECK(shown["recipe"]["experts"] == 8);
  CHECK(shown["layers"][0] == json({{"layer", 0}, {"done", false}, {"seconds", nullptr}}));
  CHECK(shown["layers"][1]["done"] == true);
  CHECK(shown["layers"][1]["loss_after"] == 0.1);
  CHECK(shown["layers"][1]["seconds"] == nullptr);
  for (const char* key : {"own_text", "finish", "profile", "tradeoff", "latency", "policy"})
    CHECK(shown.at(key).is_null());
  CHECK(shown["policies"] == json::object());
  CHECK(shown["measurements"] == json::array());

  const auto table = testing::random_table({2, 4, 1, 6, 1e3}, 1);
  write_json(sample.run.tradeoff_file(), to_json(table));
  write_json(sample.run.latency_file(), to_json(testing::random_latency(6)));
  write_json(sample.run.timing_file(), {{"layers", {{"1", 2.5}}}});
  fs::create_directories(sample.run.self_calibration().parent_path());
  write_file(sample.run.self_calibration(), "{\"text\": \"Once.\"}\n{\"text\": \"Twice.\"}\n");
  fs::create_directories(sample.run.path() / "policies");
  Policy policy;
  policy.layers = {LayerPolicy::dense(), LayerPolicy::above(0.25, 3)};
  write_json(sample.run.named_policy_file("calm"), to_json(policy));
  const LayerStore& store = sample.run.layers();
  store.put(FinishRecord{{0, -0.5}, {{1, store.put_finished(1, testing::writing("finished"))}}});
  shown = to_json(view_run(sample.run));
  CHECK(shown["own_text"] == json({"Once.", "Twice."}));
  CHECK(shown["layers"][1]["seconds"] == 2.5);
  CHECK(shown["timing"]["steps"] == json::object());
  CHECK(shown["tradeoff"] == to_json(table));
  CHECK(shown["latency"]["machine"] == "a machine");
  CHECK(shown["policies"] == json{{"calm", to_json(policy)}});
  CHECK(shown["finish"] == read_json(sample.run.layers().finish_file()));
  CHECK(to_json(run_view_from_json(shown)) == shown);
}

TEST_CASE("reading a run names the file that is broken") {
  const SampleRun sample;
  json shown = to_json(view_run(sample.run));
  shown["tradeoff"] = {{"layers", 3}};
  try {
    run_view_from_json(shown);
    FAIL("no refusal");
  } catch (const Refusal& refusal) {
    CHECK(refusal.path() == "tradeoff.json");
  }
  check_refused("The description of the run: it is not a JSON object", [] { run_view_from_json(3); });
}

TEST_CASE("times that cannot be read are left out, and others add up") {
  const SampleRun sample;
  write_json(sample.run.timing_file(), {{"layers", {{"1", 2.5}, {"one", 1}, {"2", "long"}}},
                                        {"steps", {{"finish", 4}, {"later", 1}}},
                                        {"step_flops", {{"finish", 1e9}}}});
  add_work(sample.run, Step::finish, {2, 3e9});
  add_work(sample.run, 1, 0.5, {{"refit", {0.25, 1e6}}});
  add_work(sample.run, 1, 0.5, {{"refit", {0.25, 1e6}}});
  const RunTiming timing = read_timing(sample.run);
  CHECK(timing.layers == std::map<int, double>{{1, 3.5}});
  CHECK(timing.steps.at("finish").seconds == 6);
  CHECK(timing.steps.at("finish").flops == 4e9);
  CHECK(timing.parts.at("refit").flops_per_second() == 4e6);
  CHECK(timing.total() == 7);
  write_json(sample.run.timing_file(), 7);
  CHECK(read_timing(sample.run).steps.empty());
  write_file(sample.run.timing_file(), "{\"steps\": ");
  CHECK(read_timing(sample.run).steps.empty());
  add_work(sample.run, Step::finish, {2, 0});
  CHECK(read_timing(sample.run).total() == 2);
}
