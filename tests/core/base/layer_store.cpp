#include "run/layer_store.h"

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

LayerStore::Write writing(const char* bytes) {
  return [bytes](const fs::path& file) { write_file(file, bytes); };
}

/// Layers 0 and 1 are converted.
struct TwoLayers {
  testing::TemporaryFolder folder;
  LayerStore store{folder / "run"};

  TwoLayers() {
    for (const int layer : {0, 1}) {
      LayerRecord record;
      record.layer = layer;
      record.loss_refit = 0.2;
      record.held_out_losses = {0.15, 0.1};
      store.put(record, writing("weights"));
    }
  }
  fs::path file(const char* name) const { return folder / "run" / name; }
  /// A store that has not looked at any file yet.
  LayerStore fresh() const { return LayerStore(folder / "run"); }
};

}  // namespace

TEST_CASE("a layer is done when its weights and its record are there") {
  const TwoLayers two;
  CHECK(two.store.done(1));
  CHECK(two.store.intact(1));
  CHECK_FALSE(two.store.done(2));
  CHECK(two.store.stage1_weights(1) == two.file("layers/001.safetensors"));
  const LayerRecord record = two.store.record(1);
  CHECK(record.loss_refit == 0.2);
  CHECK(record.held_out_losses == std::vector<double>{0.15, 0.1});
  CHECK(record.hash == hash_hex("weights"));
  fs::remove(two.file("layers/000.json"));
  CHECK_FALSE(two.store.done(0));
  CHECK_FALSE(two.store.intact(0));
  check_refused("not converted", [&] { two.store.weights(2); });
}

TEST_CASE("each generation takes the place of the one before, where it was kept") {
  const TwoLayers two;
  CHECK_FALSE(two.store.sweep(1));
  CHECK_FALSE(two.store.finish());
  CHECK(two.store.weights(1) == two.store.stage1_weights(1));

  two.store.put(SweepRecord{0, 0.5, 0.5, {}}, {});
  two.store.put(SweepRecord{1, 0.5, 0.25, {}}, writing("swept"));
  CHECK(two.store.sweep_intact(0));
  CHECK(two.store.sweep_intact(1));
  CHECK(two.store.sweep(1)->loss_after == 0.25);
  CHECK(two.store.weights(0) == two.file("layers/000.safetensors"));
  CHECK(two.store.weights(1) == two.file("second-sweep/001.safetensors"));

  two.store.put(FinishRecord{{0.1}, {}}, {});
  CHECK(two.store.finish_intact());
  CHECK(two.store.weights(1) == two.file("second-sweep/001.safetensors"));
  two.store.put(FinishRecord{{-0.1, -0.2}, {}}, {{0, writing("finished")}, {1, writing("finished")}});
  CHECK(two.store.finish_intact());
  CHECK(two.store.finish()->held_out_losses == std::vector<double>{-0.1, -0.2});
  CHECK(two.store.weights(1) == two.file("finish/001.safetensors"));
  CHECK(two.store.weights_before_finish(1) == two.file("second-sweep/001.safetensors"));
}

TEST_CASE("damaged weights are noticed in every generation") {
  const TwoLayers two;
  write_file(two.file("layers/001.safetensors"), "damaged");
  CHECK_FALSE(two.fresh().intact(1));
  check_refused("damaged", [&] { two.fresh().weights(1); });

  two.store.put(SweepRecord{1, 0.5, 0.25, {}}, writing("swept"));
  write_file(two.file("second-sweep/001.safetensors"), "damaged");
  CHECK_FALSE(two.fresh().sweep_intact(1));
  fs::remove(two.file("second-sweep/001.safetensors"));
  CHECK_FALSE(two.fresh().sweep_intact(1));

  two.store.put(FinishRecord{{-0.1}, {}}, {{0, writing("finished")}});
  write_file(two.file("finish/000.safetensors"), "damaged");
  CHECK_FALSE(two.fresh().finish_intact());
  check_refused("damaged", [&] { two.fresh().weights(0); });
}

TEST_CASE("broken records are refused by name") {
  const TwoLayers two;
  two.store.put(SweepRecord{0, 0.5, 0.5, {}}, {});
  write_file(two.file("second-sweep/000.json"), "{\"layer\": 0}");
  CHECK_FALSE(two.store.sweep_intact(0));
  check_refused("record of the second sweep", [&] { two.store.sweep(0); });
  write_file(two.store.finish_file(), "{\"layers\": 3}");
  CHECK_FALSE(two.store.finish_intact());
  check_refused("finish record", [&] { two.store.finish(); });
}

TEST_CASE("a layer is claimed by one owner at a time") {
  const TwoLayers two;
  {
    const auto claim = two.store.claim(0);
    REQUIRE(claim);
    CHECK_FALSE(two.fresh().claim(0));
    CHECK(two.fresh().claim(1));
  }
  CHECK(two.fresh().claim(0));
}
