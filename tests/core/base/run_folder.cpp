#include "run/run_folder.h"

#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/context.h"
#include "base/files.h"
#include "support/random_tables.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

LayerRecord sample_record() { return {1, 0.3, 0.2, 0.1, 0.9, {0.15, 0.1}, "abc"}; }

/// Layers 0 and 1 are asked for, layer 1 is finished.
struct SampleRun {
  testing::TemporaryFolder folder;
  RunFolder run{folder / "run"};

  SampleRun() {
    fs::create_directories(run.path() / "layers");
    Recipe recipe;
    recipe.window = 64;
    recipe.experts = 8;
    recipe.shared = 2;
    recipe.layers = {0, 1};
    write_json(run.recipe_file(), to_json(recipe));
    run.write_record(sample_record());
    write_file(run.layer_weights(1), "weights");
  }
};

}  // namespace

TEST_CASE("names in a run folder") {
  const RunFolder run("r");
  CHECK(run.layer_weights(7) == "r/layers/007.safetensors");
  CHECK(run.layer_record(12) == "r/layers/012.json");
  CHECK(run.self_held_out() == "r/text/held-out.jsonl");
}

TEST_CASE("a layer is done when both of its files are there") {
  const SampleRun sample;
  CHECK(sample.run.exists());
  CHECK(sample.run.layer_done(1));
  CHECK_FALSE(sample.run.layer_done(0));
  write_file(sample.run.layer_weights(0), "weights");
  CHECK_FALSE(sample.run.layer_done(0));
  const LayerRecord record = sample.run.record(1);
  CHECK(record.loss_refit == 0.2);
  CHECK(record.held_out_losses == std::vector<double>{0.15, 0.1});
  CHECK(record.hash == "abc");
}

TEST_CASE("clean removes what a killed process left behind, and nothing else") {
  const SampleRun sample;
  const auto temporary = sample.run.path() / "layers" / ".000.safetensors.tmp-1234";
  const auto other = sample.run.path() / ".lock";
  for (const auto& file : {temporary, other}) std::ofstream(file) << "x";
  sample.run.clean();
  CHECK_FALSE(fs::exists(temporary));
  CHECK(fs::exists(other));
  CHECK(sample.run.layer_done(1));
  CHECK_NOTHROW(RunFolder(sample.folder / "none").clean());
}

TEST_CASE("a policy is kept under a name, or as the run's own") {
  const SampleRun sample;
  Policy policy;
  policy.layers = {LayerPolicy::dense(), LayerPolicy::above(0.25, 3)};
  CHECK(save_policy(sample.run, policy) == sample.run.policy_file());
  CHECK(save_policy(sample.run, policy, "calm") == sample.run.named_policy_file("calm"));
  CHECK(policy_from_json(read_json(sample.run.named_policy_file("calm"))).layers == policy.layers);
  for (const char* name : {"", "../x", ".x"})
    check_refused("A policy cannot be saved under the name", [&] { save_policy(sample.run, policy, name); });
}

TEST_CASE("one process at a time") {
  const SampleRun sample;
  {
    const RunFolder::Lock lock(sample.run);
    check_refused("Another process is working in the run folder " + sample.run.path().string(),
                  [&] { RunFolder::Lock again(sample.run); });
  }
  CHECK_NOTHROW(RunFolder::Lock(sample.run));
}

TEST_CASE("what is not there yet is refused with the command that makes it") {
  const SampleRun sample;
  check_refused("The run has no routing profile yet. | Continue it", [&] { sample.run.profile(); });
  check_refused("The run has no trade-off table yet. | Continue it", [&] { sample.run.tradeoff(); });
  check_refused("The run has no policy yet. | Make one: ladimo policy", [&] { sample.run.policy(2); });
  check_refused("There is no such policy file. | Make one", [&] { sample.run.policy(2, "no.json"); });
  CHECK_FALSE(sample.run.latency());
  check_refused("There is no such run folder", [&] { open_run(sample.folder / "none"); });
  check_refused("This folder is not a run", [&] { open_run(sample.folder.path()); });
  CHECK_FALSE(is_run(sample.folder.path()));
  CHECK(open_run(sample.run.path()).recipe().experts == 8);
}

TEST_CASE("a damaged table is refused with its file") {
  const SampleRun sample;
  write_json(sample.run.tradeoff_file(), {{"layers", 3}});
  try {
    sample.run.tradeoff();
    FAIL("no refusal");
  } catch (const Refusal& refusal) {
    CHECK(refusal.path() == sample.run.tradeoff_file());
    CHECK(std::string(refusal.what()) == "The trade-off table: fingerprint is missing.");
  }
}

TEST_CASE("show holds everything a window needs") {
  const SampleRun sample;
  json shown = show_run(sample.run);
  CHECK(shown["recipe"]["experts"] == 8);
  CHECK(shown["layers"][0] == json({{"layer", 0}, {"done", false}, {"seconds", nullptr}}));
  CHECK(shown["layers"][1]["done"] == true);
  CHECK(shown["layers"][1]["loss_after"] == 0.1);
  CHECK(shown["layers"][1]["seconds"] == nullptr);
  for (const char* key : {"own_text", "profile", "tradeoff", "latency", "policy"})
    CHECK(shown.at(key).is_null());

  const auto table = testing::random_table({2, 4, 1, 6, 1e3}, 1);
  write_json(sample.run.tradeoff_file(), to_json(table));
  write_json(sample.run.latency_file(), to_json(testing::random_latency(6)));
  write_json(sample.run.timing_file(), {{"layers", {{"1", 2.5}}}});
  fs::create_directories(sample.run.self_calibration().parent_path());
  write_file(sample.run.self_calibration(), "{\"text\": \"Once.\"}\n{\"text\": \"Twice.\"}\n");
  shown = show_run(sample.run);
  CHECK(shown["own_text"] == json({"Once.", "Twice."}));
  CHECK(shown["layers"][1]["seconds"] == 2.5);
  CHECK(shown["timing"]["steps"] == json::object());
  CHECK(to_json(tradeoff_table_from_json(shown["tradeoff"])) == to_json(table));
  CHECK(sample.run.tradeoff().layers.size() == 2);
  CHECK(sample.run.latency()->machine == "a machine");
}

TEST_CASE("policies are saved under a name that is a file name") {
  const SampleRun sample;
  CHECK(sample.run.named_policy_file("calm") == sample.run.path() / "policies/calm.json");
  CHECK_NOTHROW(sample.run.named_policy_file(std::string(64, 'x')));
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(".."), std::string(65, 'x')})
    check_refused("A policy cannot be saved under the name", [&] { sample.run.named_policy_file(name); });
  CHECK(show_run(sample.run)["policies"] == json::object());
  fs::create_directories(sample.run.path() / "policies");
  write_json(sample.run.named_policy_file("calm"), {{"tradeoff", 0.5}});
  write_file(sample.run.path() / "policies/notes.txt", "no policy");
  CHECK(show_run(sample.run)["policies"] == json{{"calm", {{"tradeoff", 0.5}}}});
}

TEST_CASE("the times of a policy stand in its newest measurement") {
  const SampleRun sample;
  const Context context;
  Policy policy, other;
  policy.layers = {LayerPolicy::dense(), LayerPolicy::above(0.25, 3)};
  other.layers = {LayerPolicy::dense(), LayerPolicy::top(2)};
  keep_times(sample.run, policy, 2, 0.5, context);
  CHECK_FALSE(fs::exists(sample.run.measurements_file()));
  for (const Policy* measured : {&policy, &policy, &other})
    append_measurement(sample.run, {{"policy", to_json(*measured)}, {"numbers", to_json(PolicyNumbers())}},
                       context);
  keep_times(sample.run, policy, 2, 0.5, context);
  const auto kept = read_json(sample.run.measurements_file());
  CHECK(kept[1]["numbers"]["decode_ms"] == 2);
  CHECK(kept[1]["numbers"]["prefill_ms"] == 0.5);
  for (const int untimed : {0, 2}) CHECK(kept[untimed]["numbers"]["decode_ms"].is_null());
}

TEST_CASE("measurements are kept, newest last, at most 200; where they cannot be, a warning says so") {
  const SampleRun sample;
  std::vector<WarningEvent> warnings;
  const Context context([&](const Event& event) { warnings.push_back(std::get<WarningEvent>(event)); });
  CHECK(show_run(sample.run)["measurements"] == json::array());
  for (int i = 0; i < 203; ++i) append_measurement(sample.run, {{"tokens", i}}, context);
  const auto kept = show_run(sample.run)["measurements"];
  REQUIRE(kept.size() == 200);
  CHECK(kept.front()["tokens"] == 3);
  CHECK(kept.back()["tokens"] == 202);
  CHECK(warnings.empty());

  write_file(sample.run.measurements_file(), "{}");
  append_measurement(sample.run, {{"tokens", 0}}, context);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings.front().message.find("not kept") != std::string::npos);
  CHECK(read_file(sample.run.measurements_file()) == "{}");
}
