#include "run/run_folder.h"

#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "run/saved_policy.h"
#include "support/refusals.h"
#include "support/sample_run.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using ladimo::testing::SampleRun;
namespace fs = std::filesystem;

TEST_CASE("files of a run folder have fixed names") {
  const RunFolder run("r");
  CHECK(run.layers().finish_file() == "r/finish.json");
  CHECK(run.self_held_out() == "r/text/held-out.jsonl");
}

TEST_CASE("clean removes what a killed process left behind, and nothing else") {
  const SampleRun sample;
  const auto temporary = sample.run.path() / "layers" / ".000.safetensors.tmp-1234";
  const auto other = sample.run.path() / ".lock";
  for (const auto& file : {temporary, other}) std::ofstream(file) << "x";
  sample.run.clean();
  CHECK_FALSE(fs::exists(temporary));
  CHECK(fs::exists(other));
  CHECK(sample.run.layers().intact(1));
  CHECK_NOTHROW(RunFolder(sample.folder / "none").clean());
}

TEST_CASE("a policy is kept under a name, or as the run's own") {
  const SampleRun sample;
  Policy policy;
  policy.layers = {LayerPolicy::dense(), LayerPolicy::above(0.25, 3)};
  CHECK(save_policy(sample.run, policy).path == sample.run.policy_file());
  CHECK(save_policy(sample.run, policy, "calm").path == sample.run.named_policy_file("calm"));
  CHECK(sample.run.policy_names() == std::vector<std::string>{"calm"});
  CHECK(policy_from_json(read_json(sample.run.named_policy_file("calm"))).layers == policy.layers);
  for (const char* name : {"", "../x", ".x"})
    check_refused("A policy cannot be saved under the name", [&] { save_policy(sample.run, policy, name); });
}

TEST_CASE("only one process works in a run folder") {
  const SampleRun sample;
  {
    const RunFolder::Lock lock(sample.run);
    check_refused("Another process is working in the run folder " + sample.run.path().string(),
                  [&] { RunFolder::Lock again(sample.run); });
  }
  CHECK_NOTHROW(RunFolder::Lock(sample.run));
}

TEST_CASE("a missing table is refused with the command that makes it") {
  const SampleRun sample;
  check_refused("The run has no routing profile yet. | To finish the run, {continue_run}",
                [&] { sample.run.profile(); });
  check_refused("The run has no trade-off table yet. | To finish the run, {continue_run}",
                [&] { sample.run.tradeoff(); });
  check_refused("The run has no policy yet. | Make one: {choose_policy}", [&] { sample.run.policy(2); });
  check_refused("There is no such policy file. | Make one", [&] { sample.run.policy(2, "no.json"); });
  CHECK_FALSE(sample.run.latency());
  check_refused("There is no folder", [&] { open_run(sample.folder / "none"); });
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

TEST_CASE("policies are saved under names that are valid file names") {
  const SampleRun sample;
  CHECK(sample.run.named_policy_file("calm") == sample.run.path() / "policies/calm.json");
  CHECK_NOTHROW(sample.run.named_policy_file(std::string(64, 'x')));
  for (const std::string& name : {std::string(), std::string("a/b"), std::string(".."), std::string(65, 'x')})
    check_refused("A policy cannot be saved under the name", [&] { sample.run.named_policy_file(name); });
  CHECK(sample.run.policy_names().empty());
  save_policy(sample.run, Policy(), "calm");
  write_file(sample.run.path() / "policies/notes.txt", "no policy");
  CHECK(sample.run.policy_names() == std::vector<std::string>{"calm"});
}
