// A run without converted layers: only single inputs and neurons are left out, with no training.
#include <filesystem>

#include "support/workplace.h"

using namespace ladimo::testing;
namespace fs = std::filesystem;

TEST_CASE("a run without experts leaves out inputs and neurons of every layer, and leaves as a model") {
  const Workplace work;
  const auto run_folder = work.folder / "run", policy = work.folder / "policy.json";
  const auto json = json_of(work.convert(run_folder, {"--layers", "none"}));
  CHECK(json["layers"].empty());
  CHECK_FALSE(fs::exists(run_folder / "finish.json"));

  const auto chosen = json_of({"policy", run_folder, "--activated", "0.95", "-o", policy});
  CHECK(chosen["predicted"]["activated_fraction"].get<double>() == doctest::Approx(0.95).epsilon(0.002));
  CHECK(chosen["predicted"]["kl"].get<double>() > 0);
  const auto measured =
      json_of({"eval", run_folder, "--policy", policy, "--text", work.held_out, "--tokens", "1000"});
  CHECK(measured["activated_fraction"].get<double>() == doctest::Approx(0.95).epsilon(0.005));
  CHECK(measured["kl"].get<double>() > 0);
  const auto report = json_of(
      {"export", run_folder, "--policy", policy, "--format", "native", "-o", work.folder / "exported"});
  CHECK(report["max_logit_error"].get<double>() < 1e-4);
  const auto card = ladimo::read_file(work.folder / "exported" / "README.md");
  CHECK(card.find("No weight was changed") != std::string::npos);
  CHECK(card.find("distilled") == std::string::npos);

  // It is continued without naming the layers again, and not with others.
  CHECK(run(work.convert(run_folder)).status == 0);
  const auto others = run(work.convert(run_folder, {"--layers", "0-1"}));
  CHECK(others.status == 2);
  CHECK(others.err.find("layers: [] in the run, [0,1] requested") != std::string::npos);
}

TEST_CASE("what needs experts says that there are none") {
  const Workplace work;
  const auto run_folder = work.folder / "run";
  REQUIRE(run(work.convert(run_folder, {"--layers", "none"})).status == 0);
  const auto policy = run({"policy", run_folder, "--grains", "experts", "--activated", "0.8"});
  CHECK(policy.status == 2);
  CHECK(policy.err.find("no experts to choose from") != std::string::npos);
}
