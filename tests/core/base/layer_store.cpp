#include "run/layer_store.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <thread>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/hash.h"
#include "checkpoint/safetensors.h"
#include "support/refusals.h"
#include "support/sample_run.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using ladimo::testing::TemporaryFolder;
using ladimo::testing::writing;
namespace fs = std::filesystem;

namespace {

/// A store in which layers 0 and 1 are converted.
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
  /// Records a second sweep that made layer 1 better and left layer 0 unchanged.
  void sweep() const {
    store.put(SweepRecord{0, 0.5, 0.5, {}}, nullptr);
    store.put(SweepRecord{1, 0.5, 0.25, {}}, writing("swept"));
  }
  /// Records a finish that made both layers better.
  void finish() const {
    FinishRecord record{{-0.1, -0.2}, {}};
    for (const int layer : {0, 1}) record.hashes[layer] = store.put_finished(layer, writing("finished"));
    store.put(record);
  }
  fs::path file(const char* name) const { return folder / name; }
  /// The same store as another process sees it, which has not checked any layer yet.
  LayerStore again() const { return LayerStore(folder.path()); }
};

/// A layer of 4 shared neurons and 3 experts of 2, with a compensation vector each and biases.
constexpr MoeShape some_shape{5, 4, 3, 2, 3 * 5 + 3, 5, true, true};

/// Writes the file of a layer of `some_shape` with zeros for weights.
void write_layer(const fs::path& file) {
  const std::vector<TensorSpec> specs = {
      {"gate", DType::f32, {10, 5}},   {"up", DType::f32, {10, 5}},
      {"down", DType::f32, {10, 5}},   {"compensation", DType::f32, {3, 5}},
      {"gate_bias", DType::f32, {10}}, {"up_bias", DType::f32, {10}},
      {"down_bias", DType::f32, {5}},  {"router", DType::f32, {3, 5}},
      {"router_bias", DType::f32, {3}}};
  SafetensorsWriter writer(file, specs, {{"shared_neurons", "4"}});
  for (const TensorSpec& spec : specs) writer.write(spec.name, std::vector<std::byte>(spec.bytes()));
  writer.finish();
}

/// Overwrites a part of a file with other bytes.
void damage(const fs::path& file, std::size_t begin, std::size_t count) {
  auto bytes = read_file(file);
  for (std::size_t i = begin; i < begin + count; ++i) bytes.at(i) = static_cast<char>(~bytes[i]);
  write_file(file, bytes);
}

std::int64_t expiry(const fs::path& claim) { return read_json(claim).at("expires_ms"); }

void check_damaged(const LayerStore& store, int layer) {
  check_refused("Layer " + std::to_string(layer) +
                    " of this run is damaged: its weights are not what was written. | To rebuild the layer",
                [&] { store.weights(layer); });
}

/// Stores layer 1 with a record that holds its shape. The file has no weights.
void put_with_shape(const Sample& sample) {
  LayerRecord record;
  record.layer = 1;
  record.shape = some_shape;
  sample.store.put(record, writing("no weights at all"));
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

TEST_CASE("a finish that was kept replaces the layers; a finish that was not kept leaves them") {
  const Sample sample;
  sample.store.put(FinishRecord{{0.1}, {}});
  CHECK(sample.store.finish_intact());
  CHECK(sample.again().weights(1) == sample.file("layers/001.safetensors"));
  sample.finish();
  CHECK(sample.store.finish_intact());
  CHECK(sample.store.finish()->held_out_losses == std::vector<double>{-0.1, -0.2});
  CHECK(sample.again().weights(1) == sample.file("finish/001.safetensors"));
}

TEST_CASE("a damaged file of the finish is noticed") {
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

TEST_CASE("a damaged file of the second sweep is noticed") {
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

TEST_CASE("a single changed byte is refused at the first read, by the layer's name") {
  const Sample sample;
  damage(sample.file("layers/001.safetensors"), 3, 1);
  const LayerStore store = sample.again();
  CHECK(store.done(1));
  CHECK_FALSE(store.intact(1));
  check_damaged(store, 1);
  check_damaged(store, 1);
  CHECK(store.intact(0));
  CHECK_NOTHROW(store.weights(0));
}

TEST_CASE("the cost of a layer is read from its record, without its weights") {
  const Sample sample;
  put_with_shape(sample);
  CHECK(sample.again().shape(1) == some_shape);
  fs::resize_file(sample.file("layers/001.safetensors"), 0);
  CHECK(sample.again().shape(1) == some_shape);
  fs::remove(sample.file("layers/001.safetensors"));
  CHECK(sample.again().shape(1) == some_shape);
}

TEST_CASE("a damaged cost in a layer's record is refused with the name of the record") {
  const Sample sample;
  put_with_shape(sample);
  const auto file = sample.file("layers/001.json");
  auto json = read_json(file);
  json["shape"]["routed"] = -3;
  write_json(file, json);
  try {
    sample.store.record(1);
    FAIL("it was taken");
  } catch (const Refusal& refusal) {
    CHECK(refusal.path() == file);
  }
}

TEST_CASE("the cost of a layer of an earlier version is read from its file's header") {
  const Sample sample;
  LayerRecord record;
  record.layer = 1;
  sample.store.put(record, write_layer);
  const auto file = sample.file("layers/001.safetensors");
  CHECK_FALSE(read_json(sample.file("layers/001.json")).contains("shape"));
  CHECK(sample.again().shape(1) == some_shape);
  const std::size_t weights = (3 * 50 + 15 + 25 + 18) * 4;
  damage(file, fs::file_size(file) - weights, weights);
  CHECK(sample.again().shape(1) == some_shape);
  check_damaged(sample.again(), 1);
}

TEST_CASE("another file in a layer's place is refused") {
  const Sample sample;
  LayerRecord record;
  record.layer = 1;
  sample.store.put(record, [](const fs::path& file) {
    const TensorSpec gate{"gate", DType::f32, {2, 2}}, router{"router", DType::f32, {2, 2}};
    SafetensorsWriter writer(file, {gate, router});
    for (const TensorSpec& spec : {gate, router})
      writer.write(spec.name, std::vector<std::byte>(spec.bytes()));
    writer.finish();
  });
  check_refused("This is not a converted layer. | Delete the file.", [&] { sample.store.shape(1); });
}

TEST_CASE("a claimed layer cannot be claimed again until it is released") {
  const Sample sample;
  {
    const auto claim = sample.store.claim(0);
    REQUIRE(claim);
    CHECK_FALSE(sample.store.claim(0));
    CHECK_FALSE(sample.again().claim(0));
    CHECK(sample.again().claim(1));
  }
  CHECK_FALSE(fs::exists(sample.file(".claims/000.json")));
  CHECK(sample.again().claim(0));
}

TEST_CASE("a claim is renewed while its owner lives") {
  const Sample sample;
  const auto claim = sample.store.claim(0, std::chrono::milliseconds(50));
  REQUIRE(claim);
  const auto file = sample.file(".claims/000.json");
  for (int beat = 0; beat < 3; ++beat) {
    const auto before = expiry(file);
    while (expiry(file) == before) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    CHECK(expiry(file) > before);
  }
}

TEST_CASE("an expired claim can be taken; one that has not expired is kept even if its owner is unknown") {
  const Sample sample;
  const auto file = sample.file(".claims/000.json");
  fs::create_directories(file.parent_path());
  write_json(file, {{"owner", "gone"}, {"expires_ms", 1'000}});
  CHECK(sample.store.claim(0));
  write_json(file, {{"owner", "elsewhere"}, {"expires_ms", 100'000'000'000'000}});
  CHECK_FALSE(sample.store.claim(0));
  for (const char* text : {"", "{", "[]", R"({"owner": 3, "expires_ms": 100000000000000})",
                           R"({"owner": "elsewhere", "expires_ms": "later"})"}) {
    CAPTURE(text);
    write_file(file, text);
    CHECK(sample.store.claim(0));
  }
}

TEST_CASE("an owner that lost its claim leaves the new owner's claim alone") {
  const Sample sample;
  const auto file = sample.file(".claims/000.json");
  const nlohmann::json other = {{"owner", "other"}, {"expires_ms", 100'000'000'000'000}};
  {
    const auto late = sample.store.claim(0);
    write_json(file, other);
  }
  CHECK(read_json(file) == other);
}

TEST_CASE("when two processes race for a layer, exactly one gets it") {
  constexpr int layers = 40;
  const Sample sample;
  std::array<int, 2> start{}, answers{}, end{};
  for (auto* ends : {&start, &answers, &end}) REQUIRE(::pipe(ends->data()) == 0);
  const auto race = [&] {
    std::vector<LayerStore::Claim> won;
    std::array<char, layers> answer{};
    char none = 0;
    if (::read(start[0], &none, 1) != 0) return 2;
    for (int layer = 0; layer < layers; ++layer)
      if (auto claim = sample.again().claim(layer)) {
        won.push_back(std::move(*claim));
        answer[static_cast<std::size_t>(layer)] = 1;
      }
    if (::write(answers[1], answer.data(), answer.size()) != layers) return 2;
    ::close(answers[1]);
    return ::read(end[0], &none, 1) == 0 ? 0 : 2;  // holds what it won until both have answered
  };
  std::array<pid_t, 2> children{};
  for (pid_t& child : children) {
    child = ::fork();
    if (child != 0) continue;
    ::close(start[1]);
    ::close(end[1]);
    int status = 2;
    try {
      status = race();
    } catch (...) {
    }
    ::_exit(status);
  }
  ::close(start[1]);
  ::close(answers[1]);
  std::array<int, layers> winners{};
  std::array<char, layers> answer{};
  for (int child = 0; child < 2; ++child) {
    CHECK(::read(answers[0], answer.data(), answer.size()) == layers);
    for (std::size_t layer = 0; layer < layers; ++layer) winners[layer] += answer[layer];
  }
  ::close(end[1]);
  for (const pid_t child : children) {
    int status = -1;
    CHECK(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  for (const int descriptor : {start[0], answers[0], end[0]}) ::close(descriptor);
  for (const int count : winners) CHECK(count == 1);
}
