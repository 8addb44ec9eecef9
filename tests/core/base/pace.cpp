#include "run/pace.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::TemporaryFolder;

namespace {

ModelConfig config_of(std::int64_t hidden_size) {
  ModelConfig config;
  config.hidden_size = hidden_size;
  return config;
}

}  // namespace

TEST_CASE("a measured pace is found again for the same shapes, threads and device") {
  const TemporaryFolder folder;
  const auto file = folder / "cache/pace.json";
  const PaceCache cache(file);
  CHECK_FALSE(cache.find(config_of(32), 2, "cpu"));
  cache.keep(config_of(32), 2, "cpu", {1e9, 2e9, 3e9, 4e9, 5e9, 1.5});
  cache.keep(config_of(64), 2, "cpu", {7e9, 2e9, 3e9, 4e9, 5e9, 1.5});
  const auto found = cache.find(config_of(32), 2, "cpu");
  REQUIRE(found);
  CHECK(found->forward == 1e9);
  CHECK(found->bf16_gain == 1.5);
  CHECK(cache.find(config_of(64), 2, "cpu")->forward == 7e9);
  CHECK_FALSE(cache.find(config_of(32), 1, "cpu"));
  CHECK_FALSE(cache.find(config_of(32), 2, "cuda:0"));
}

TEST_CASE("an old pace, a broken cache and one that cannot be written are no pace") {
  const TemporaryFolder folder;
  const auto file = folder / "pace.json";
  const PaceCache cache(file);
  cache.keep(config_of(32), 2, "cpu", usual_pace(2));
  auto json = read_json(file);
  for (auto& [key, entry] : json.items())
    entry["measured"] = entry["measured"].get<std::int64_t>() - 3 * 24 * 3600;
  write_json(file, json);
  CHECK_FALSE(cache.find(config_of(32), 2, "cpu"));
  cache.keep(config_of(32), 2, "cpu", usual_pace(2));
  for (const char* key : {"forward", "measured"})
    for (const auto& damage :
         {nlohmann::json(0), nlohmann::json(-1e9), nlohmann::json("fast"), nlohmann::json()}) {
      auto damaged = read_json(file);
      for (auto& [shapes, entry] : damaged.items()) entry[key] = damage;
      const PaceCache other(folder / "damaged.json");
      write_json(folder / "damaged.json", damaged);
      CHECK_FALSE(other.find(config_of(32), 2, "cpu"));
    }
  for (const char* broken : {"", "7", "{\"a\": ", "[]"}) {
    write_file(file, broken);
    CHECK_FALSE(cache.find(config_of(32), 2, "cpu"));
  }
  cache.keep(config_of(32), 2, "cpu", usual_pace(2));
  CHECK(cache.find(config_of(32), 2, "cpu"));
  // A name that the system refuses to look up.
  CHECK_FALSE(PaceCache(folder / std::string(300, 'x') / "pace.json").find(config_of(32), 2, "cpu"));
  const PaceCache nowhere("/proc/no such folder/pace.json");
  nowhere.keep(config_of(32), 2, "cpu", usual_pace(2));
  CHECK_FALSE(nowhere.find(config_of(32), 2, "cpu"));
}
