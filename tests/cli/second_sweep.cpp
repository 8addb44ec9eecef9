// The optional second sweep through the command line, also killed in the middle.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> results(const fs::path& run_folder) {
  std::map<std::string, std::string> bytes;
  for (const char* folder : {"layers", "second-sweep"})
    for (const auto& entry : fs::directory_iterator(run_folder / folder))
      bytes[folder + ("/" + entry.path().filename().string())] = read_file(entry.path());
  for (const char* file : {"finish.json", "profile.json", "tradeoff.json"})
    bytes[file] = read_file(run_folder / file);
  return bytes;
}

}  // namespace

TEST_CASE("a second sweep has its own step and files, and gives the same bytes after it was killed") {
  const Workplace work;
  const auto recipe = work.folder / "recipe.json";
  write_json(recipe, {{"stage1", {{"second_sweep", true}, {"router_ranks", nlohmann::json::array()}}},
                      {"finish", {{"use", "on"}, {"epochs", 1}}}});
  const auto convert = [&](const fs::path& output) { return work.convert(output, {"--recipe", recipe}); };
  const auto undisturbed = work.folder / "undisturbed", killed = work.folder / "killed";
  CHECK(run(convert(undisturbed)).err.find("Second sweep") != std::string::npos);
  Process process(convert(killed));
  process.wait_until([&] { return fs::exists(killed / "second-sweep/000.json"); });
  process.signal(SIGKILL);
  CHECK(process.wait().status == 128 + SIGKILL);
  REQUIRE(run(convert(killed)).status == 0);
  const auto expected = results(undisturbed);
  for (const char* file : {"second-sweep/002.json", "finish.json", "tradeoff.json"})
    CHECK(expected.contains(file));
  CHECK(results(killed) == expected);
}
