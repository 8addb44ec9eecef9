#include "run/layer_store.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "support/refusals.h"
#include "support/sample_run.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using ladimo::testing::TemporaryFolder;
using ladimo::testing::writing;
namespace fs = std::filesystem;

namespace {

/// Layers 0 and 1 are converted.
struct Sample {
  TemporaryFolder folder;
  LayerStore store{folder.path()};

  Sample() {
    for (const int layer : {0, 1}) {
      LayerRecord record;
      record.layer = layer;
      store.put(record, writing("weights"));
    }
  }
  /// The second sweep made layer 1 better and left layer 0.
  void sweep() const {
    store.put(SweepRecord{0, 0.5, 0.5, {}}, nullptr);
    store.put(SweepRecord{1, 0.5, 0.25, {}}, writing("swept"));
  }
  /// The finish made both better.
  void finish() const {
    store.put(FinishRecord{{-0.1, -0.2}, {}}, {{0, writing("finished")}, {1, writing("finished")}});
  }
  fs::path file(const char* name) const { return folder / name; }
  /// The same layers as another process sees them, which has checked none yet.
  LayerStore again() const { return LayerStore(folder.path()); }
};

void check_damaged(const LayerStore& store, int layer) {
  check_refused("Layer " + std::to_string(layer) +
                    " of this run is damaged: its weights are not what was written. | To make the layer anew",
                [&] { store.weights(layer); });
}

}  // namespace

TEST_CASE("a layer is done when both of its files are there") {
  const Sample sample;
  CHECK(sample.store.done(1));
  CHECK_FALSE(sample.store.done(2));
  write_file(sample.file("layers/002.safetensors"), "weights");
  CHECK_FALSE(sample.store.done(2));
  CHECK_FALSE(sample.store.intact(2));
  check_refused("Layer 2 is not converted in this run.", [&] { sample.store.weights(2); });
}

TEST_CASE("what is put is read back, with the hash of the weights") {
  const Sample sample;
  sample.store.put(LayerRecord{12, 0.3, 0.2, 0.1, 0.9, {0.15, 0.1}, {}, {}}, writing("twelve"));
  CHECK(sample.store.stage1_weights(12) == sample.file("layers/012.safetensors"));
  CHECK(read_file(sample.store.stage1_weights(12)) == "twelve");
  const LayerRecord record = sample.again().record(12);
  CHECK(record.layer == 12);
  CHECK(record.loss_before == 0.3);
  CHECK(record.loss_refit == 0.2);
  CHECK(record.loss_after == 0.1);
  CHECK(record.router_r2 == 0.9);
  CHECK(record.held_out_losses == std::vector<double>{0.15, 0.1});
  CHECK(record.hash == hash_hex("twelve"));
}

TEST_CASE("without a finish the layers of stage 1 are used") {
  const Sample sample;
  CHECK_FALSE(sample.store.finish());
  CHECK_FALSE(sample.store.finish_intact());
  CHECK(sample.again().weights(1) == sample.file("layers/001.safetensors"));
}

TEST_CASE("a finish that was kept replaces the layers, one that was not leaves them") {
  const Sample sample;
  sample.store.put(FinishRecord{{0.1}, {}}, {});
  CHECK(sample.store.finish_intact());
  CHECK(sample.again().weights(1) == sample.file("layers/001.safetensors"));
  sample.finish();
  CHECK(sample.store.finish_intact());
  CHECK(sample.store.finish()->held_out_losses == std::vector<double>{-0.1, -0.2});
  CHECK(sample.again().weights(1) == sample.file("finish/001.safetensors"));
}

TEST_CASE("a damaged finish is noticed") {
  const Sample sample;
  sample.finish();
  write_file(sample.file("finish/001.safetensors"), "damaged");
  CHECK_FALSE(sample.store.finish_intact());
  check_damaged(sample.again(), 1);
  fs::remove(sample.file("finish/001.safetensors"));
  CHECK_FALSE(sample.store.finish_intact());
  check_damaged(sample.again(), 1);
  write_file(sample.store.finish_file(), "{\"layers\": 3}");
  CHECK_FALSE(sample.store.finish_intact());
  check_refused("finish record", [&] { sample.store.finish(); });
}

TEST_CASE("a layer that the second sweep made better takes the place of stage 1's") {
  const Sample sample;
  CHECK_FALSE(sample.store.sweep(1));
  CHECK_FALSE(sample.store.sweep_done(1));
  sample.sweep();
  for (const int layer : {0, 1}) {
    CHECK(sample.store.sweep_done(layer));
    CHECK(sample.store.sweep_intact(layer));
  }
  CHECK(sample.again().weights(0) == sample.file("layers/000.safetensors"));
  CHECK(sample.again().weights(1) == sample.file("second-sweep/001.safetensors"));
  const auto record = sample.store.sweep(1);
  REQUIRE(record);
  CHECK(record->loss_before == 0.5);
  CHECK(record->loss_after == 0.25);
  CHECK(record->hash == hash_hex("swept"));
  CHECK_FALSE(sample.store.sweep(2));
  CHECK_FALSE(sample.store.sweep_intact(2));
}

TEST_CASE("the finish comes after the second sweep") {
  const Sample sample;
  sample.sweep();
  sample.finish();
  const LayerStore store = sample.again();
  CHECK(store.weights(1) == sample.file("finish/001.safetensors"));
  CHECK(store.weights_before_finish(1) == sample.file("second-sweep/001.safetensors"));
  CHECK(store.stage1_weights(1) == sample.file("layers/001.safetensors"));
  CHECK(store.weights_before_finish(0) == sample.file("layers/000.safetensors"));
}

TEST_CASE("a damaged second sweep is noticed") {
  const Sample sample;
  sample.sweep();
  write_file(sample.file("second-sweep/001.safetensors"), "damaged");
  CHECK_FALSE(sample.store.sweep_intact(1));
  check_damaged(sample.again(), 1);
  fs::remove(sample.file("second-sweep/001.safetensors"));
  CHECK_FALSE(sample.store.sweep_intact(1));
  write_file(sample.file("second-sweep/000.json"), "{\"layer\": 0}");
  CHECK_FALSE(sample.store.sweep_intact(0));
  check_refused("record of the second sweep", [&] { sample.store.sweep(0); });
}
