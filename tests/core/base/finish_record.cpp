#include "run/finish_record.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"

using namespace ladimo;
using ladimo::testing::check_refused;
namespace fs = std::filesystem;

namespace {

/// Layers 0 and 1 are converted.
struct SampleRun {
  testing::TemporaryFolder folder;
  RunFolder run{folder / "run"};

  SampleRun() {
    fs::create_directories(run.path() / "layers");
    fs::create_directories(run.path() / "finish");
    for (const int layer : {0, 1}) {
      write_file(run.layer_weights(layer), "weights");
      LayerRecord record;
      record.layer = layer;
      record.hash = hash_hex("weights");
      run.write_record(record);
    }
  }
};

}  // namespace

TEST_CASE("without a finish the layers of stage 1 are used") {
  const SampleRun sample;
  CHECK_FALSE(read_finish(sample.run));
  CHECK_FALSE(finish_intact(sample.run));
  CHECK(show_finish(sample.run).is_null());
  CHECK(weights_in_use(sample.run, 1).path == sample.run.layer_weights(1));
  CHECK(weights_in_use(sample.run, 1).intact());
}

TEST_CASE("a finish that was kept replaces the layers, one that was not leaves them") {
  const SampleRun sample;
  write_finish(sample.run, {{0.1}, {}});
  CHECK(finish_intact(sample.run));
  CHECK(weights_in_use(sample.run, 1).path == sample.run.layer_weights(1));
  for (const int layer : {0, 1}) write_file(finished_weights(sample.run, layer), "finished");
  write_finish(sample.run, {{-0.1, -0.2}, {{0, hash_hex("finished")}, {1, hash_hex("finished")}}});
  CHECK(finish_intact(sample.run));
  CHECK(read_finish(sample.run)->held_out_losses == std::vector<double>{-0.1, -0.2});
  CHECK(weights_in_use(sample.run, 1).path == finished_weights(sample.run, 1));
  CHECK(weights_in_use(sample.run, 1).intact());
}

TEST_CASE("a damaged finish is noticed") {
  const SampleRun sample;
  for (const int layer : {0, 1}) write_file(finished_weights(sample.run, layer), "finished");
  write_finish(sample.run, {{-0.1}, {{0, hash_hex("finished")}, {1, hash_hex("finished")}}});
  write_file(finished_weights(sample.run, 1), "damaged");
  CHECK_FALSE(finish_intact(sample.run));
  CHECK_FALSE(weights_in_use(sample.run, 1).intact());
  fs::remove(finished_weights(sample.run, 1));
  CHECK_FALSE(finish_intact(sample.run));
  write_file(finish_file(sample.run), "{\"layers\": 3}");
  CHECK_FALSE(finish_intact(sample.run));
  check_refused("finish record", [&] { read_finish(sample.run); });
}
