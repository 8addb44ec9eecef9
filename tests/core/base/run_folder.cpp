#include "run/run_folder.h"

#include <sys/wait.h>
#include <unistd.h>

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

TEST_CASE("a policy is not saved over one that the caller has not seen") {
  const SampleRun sample;
  Policy mine, theirs;
  mine.layers = {LayerPolicy::dense(), LayerPolicy::above(0.25, 3)};
  theirs.layers = {LayerPolicy::top(2), LayerPolicy::dense()};
  for (const auto& name : {std::optional<std::string>(), std::optional<std::string>("calm")}) {
    CHECK_FALSE(save_policy(sample.run, theirs, name, Expected{}).changed);
    const auto saved = save_policy(sample.run, mine, name, Expected{});
    CHECK(saved.changed);
    CHECK(holds(sample.run, name, {theirs}));
    CHECK_FALSE(holds(sample.run, name, {mine}));
    CHECK_FALSE(save_policy(sample.run, mine, name, Expected{theirs}).changed);
    CHECK(holds(sample.run, name, {mine}));
    write_file(saved.path, "{");
    CHECK(save_policy(sample.run, theirs, name, Expected{mine}).changed);
    fs::remove(saved.path);
    CHECK_FALSE(holds(sample.run, name, {mine}));
    CHECK_FALSE(save_policy(sample.run, theirs, name, Expected{mine}).changed);
    CHECK_FALSE(save_policy(sample.run, mine, name).changed);
  }
}

TEST_CASE("of programs that save a policy at once only one finds what it expected") {
  const SampleRun sample;
  constexpr int programs = 8;
  std::vector<pid_t> children;
  for (int i = 0; i < programs; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      Policy mine;
      mine.tradeoff = 0.01 * i;
      ::_exit(save_policy(sample.run, mine, {}, Expected{}).changed ? 1 : 0);
    }
    children.push_back(child);
  }
  int saved = 0;
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    saved += status == 0;
  }
  CHECK(saved == 1);
}

TEST_CASE("a policy is not saved where the run was, nor in a run of another model") {
  const SampleRun sample;
  Policy other;
  other.fingerprint = "another";
  check_refused("a run of another model", [&] { save_policy(sample.run, other, "calm"); });
  CHECK_FALSE(fs::exists(sample.run.path() / "policies"));
  fs::remove_all(sample.run.path());
  for (const auto& name : {std::optional<std::string>(), std::optional<std::string>("calm")})
    check_refused("The run folder was moved or deleted", [&] { save_policy(sample.run, Policy(), name); });
  CHECK_FALSE(fs::exists(sample.run.path()));
}

TEST_CASE("an answer about a saved policy, and what was expected, are read as they were written") {
  const SavedPolicy saved{"policies/calm.json", true};
  CHECK(saved_policy_from_json(to_json(saved)).path == saved.path);
  CHECK(saved_policy_from_json(to_json(saved)).changed);
  Policy policy;
  policy.layers = {LayerPolicy::above(0.25, 3)};
  CHECK(expected_from_json(to_json(Expected{policy})).content->layers == policy.layers);
  CHECK_FALSE(expected_from_json(to_json(Expected{})).content);
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
