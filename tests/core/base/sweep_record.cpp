#include "run/sweep_record.h"

#include <doctest/doctest.h>

#include "base/files.h"
#include "base/hash.h"
#include "run/finish_record.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::check_refused;
namespace fs = std::filesystem;

namespace {

/// Layers 0 and 1 are converted; the second sweep made layer 1 better and left layer 0.
struct SampleRun {
  testing::TemporaryFolder folder;
  RunFolder run{folder / "run"};

  SampleRun() {
    for (const char* name : {"layers", "second-sweep", "finish"}) fs::create_directories(run.path() / name);
    for (const int layer : {0, 1}) {
      write_file(run.layer_weights(layer), "weights");
      LayerRecord record;
      record.layer = layer;
      record.hash = hash_hex("weights");
      run.write_record(record);
    }
    write_sweep(run, {0, 0.5, 0.5, {}});
    write_file(swept_weights(run, 1), "swept");
    write_sweep(run, {1, 0.5, 0.25, hash_hex("swept")});
  }
};

}  // namespace

TEST_CASE("a layer that the second sweep made better takes the place of stage 1's") {
  const SampleRun sample;
  CHECK(sweep_intact(sample.run, 0));
  CHECK(sweep_intact(sample.run, 1));
  CHECK(weights_in_use(sample.run, 0).path == sample.run.layer_weights(0));
  CHECK(weights_in_use(sample.run, 1).path == swept_weights(sample.run, 1));
  CHECK(weights_in_use(sample.run, 1).intact());
  const auto record = read_sweep(sample.run, 1);
  REQUIRE(record);
  CHECK(record->loss_before == 0.5);
  CHECK(record->loss_after == 0.25);
  CHECK_FALSE(read_sweep(sample.run, 2));
  CHECK_FALSE(sweep_intact(sample.run, 2));
}

TEST_CASE("the finish comes after the second sweep") {
  const SampleRun sample;
  write_file(finished_weights(sample.run, 1), "finished");
  write_finish(sample.run, {{-0.1}, {{1, hash_hex("finished")}}});
  CHECK(weights_in_use(sample.run, 1).path == finished_weights(sample.run, 1));
  CHECK(weights_before_finish(sample.run, 1).path == swept_weights(sample.run, 1));
}

TEST_CASE("a damaged second sweep is noticed") {
  const SampleRun sample;
  write_file(swept_weights(sample.run, 1), "damaged");
  CHECK_FALSE(sweep_intact(sample.run, 1));
  CHECK_FALSE(weights_in_use(sample.run, 1).intact());
  fs::remove(swept_weights(sample.run, 1));
  CHECK_FALSE(sweep_intact(sample.run, 1));
  write_file(sweep_file(sample.run, 0), "{\"layer\": 0}");
  CHECK_FALSE(sweep_intact(sample.run, 0));
  check_refused("record of the second sweep", [&] { read_sweep(sample.run, 0); });
}
