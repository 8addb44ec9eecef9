// The finish block by block through the command line.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/workplace.h"

using namespace ladimo;
using namespace ladimo::testing;

TEST_CASE("a finish by blocks records one loss per block, and the layers that it wrote are in use") {
  const Workplace work;
  const auto output = work.folder / "run", recipe = work.folder / "recipe.json";
  write_json(recipe, {{"stage1", {{"router_ranks", nlohmann::json::array()}}},
                      {"finish", {{"use", "on"}, {"block", 2}, {"epochs", 1}}}});
  const auto converted = run(work.convert(output, {"--recipe", recipe}));
  INFO(converted.err);
  REQUIRE(converted.status == 0);
  CHECK(read_json(output / "recipe.json")["finish"]["block"] == 2);
  const auto finish = read_json(output / "finish.json");
  CHECK(finish["held_out_losses"].size() == 2);  // three layers
  for (const auto& layer : finish["layers"])
    CHECK(exists(output / "finish" / ("00" + std::to_string(layer["layer"].get<int>()) + ".safetensors")));
  const auto bytes = read_file(output / "tradeoff.json");
  CHECK(run(work.convert(output)).status == 0);
  CHECK(read_file(output / "tradeoff.json") == bytes);
}
