// Residual streams and the rows kept from them give the same in memory and in scratch files.
#include "stream/residual_stream.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "evaluate/evaluation.h"
#include "profile/routing.h"
#include "profile/sensitivity.h"
#include "run/run_folder.h"
#include "stream/layer_rows.h"
#include "support/environment.h"
#include "support/pico_moe.h"
#include "training/second_sweep.h"
#include "training/stage1.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

constexpr int many = 520;  // more windows than are computed together

/// A folder for scratch files, and a context with this folder and without memory.
struct Scratch {
  TemporaryFolder folder;
  MemoryBudget none{0, folder.path()};
  Context context = Context().within(none);

  bool empty() const { return fs::is_empty(folder.path()); }
};

RowStore store_of(std::int64_t count, std::vector<std::int64_t> row, const MemoryBudget& memory,
                  at::ScalarType stored = at::kFloat) {
  return {count, std::move(row), at::TensorOptions(at::kFloat), stored, memory};
}

/// The files that stage 1 and the second sweep write for a pico model's layers, by name.
std::map<std::string, std::string> converted_layers(const Windows& calibration, const Context& context) {
  const TemporaryFolder folder;
  write_pico_model(folder / "model");
  const WeightSource source = open_weights(folder / "model");
  const RunFolder run(folder / "run");
  fs::create_directory(run.path());
  Recipe recipe;
  recipe.layers = {0, 1};
  recipe.experts = 12;
  recipe.shared = 3;
  recipe.stage1.router_ranks = {4};
  recipe.stage1.epochs = 1;
  CHECK(convert_layers(source, run, recipe, calibration, context) == 0);
  sweep_again(source, run.layers(), recipe, calibration, context);
  std::map<std::string, std::string> files;
  for (const char* name : {"layers", "second-sweep"})
    for (const auto& entry : fs::directory_iterator(run.path() / name))
      files[name + ("/" + entry.path().filename().string())] = read_file(entry.path());
  return files;
}

}  // namespace

TEST_CASE("rows are read back as they were written, by range and by index") {
  const Scratch scratch;
  const auto rows = random_tensor({20, 3, 5}, 1);
  for (const auto stored : {at::kFloat, at::kBFloat16})
    for (const bool spills : {false, true}) {
      CAPTURE(spills);
      auto store = store_of(20, {3, 5}, spills ? scratch.none : MemoryBudget(), stored);
      REQUIRE(store.spilled() == spills);
      CHECK(store.bytes() == 20 * 15 * at::elementSize(stored));
      store.write(7, rows.slice(0, 7));
      store.write(0, rows.slice(0, 0, 7));
      const auto kept = rows.to(stored).to(at::kFloat);
      CHECK(at::equal(store.read(0, 20), kept));
      CHECK(at::equal(store.read(4, 11), kept.slice(0, 4, 11)));
      const auto index = at::tensor({19, 0, 7, 7}).to(at::kLong);
      CHECK(at::equal(store.gather(index), kept.index_select(0, index)));

      const RowStore copy = store;
      store.write(3, at::ones({2, 3, 5}));
      CHECK(at::equal(copy.read(3, 5), at::ones({2, 3, 5})));
      CHECK(at::equal(copy.read(5, 20), kept.slice(0, 5)));

      auto numbers = store_of(4, {}, spills ? scratch.none : MemoryBudget(), stored);
      numbers.write(0, at::arange(4, at::kFloat));
      CHECK(at::equal(numbers.read(1, 3), at::tensor({1.0F, 2.0F})));
    }
}

TEST_CASE("memory is taken from the budget and given back with the last copy; what does not fit spills") {
  const TemporaryFolder folder;
  const MemoryBudget memory(1000, folder.path());
  std::optional<RowStore> store = store_of(10, {25}, memory);  // 1000 bytes
  CHECK_FALSE(store->spilled());
  std::optional<RowStore> copy = store;
  store.reset();
  CHECK(store_of(1, {1}, memory).spilled());
  copy.reset();
  CHECK_FALSE(store_of(1, {1}, memory).spilled());
  CHECK(store_of(10, {26}, memory).spilled());
}

TEST_CASE("scratch files have no name in the folder that they need") {
  const Scratch scratch;
  auto store = store_of(100, {10}, scratch.none);
  store.write(0, random_tensor({100, 10}, 1));
  REQUIRE(store.spilled());
  CHECK(scratch.empty());
  CHECK_THROWS_AS(store_of(1, {1}, MemoryBudget(0, scratch.folder / "none")), Error);
}

TEST_CASE("a layer's rows are the same from memory and from disk, however they are picked") {
  const Scratch scratch;
  const auto x = random_tensor({30, 4}, 1), y = random_tensor({30, 4}, 2);
  const auto spilled = [&](const at::Tensor& rows) {
    auto store = store_of(30, {4}, scratch.none);
    store.write(0, rows);
    return store;
  };
  const auto check_same = [](const LayerRows& rows, const at::Tensor& expected_x,
                             const at::Tensor& expected_y) {
    CHECK(at::equal(inputs(rows), expected_x));
    CHECK(at::equal(outputs(rows), expected_y));
    const auto index = at::tensor({2, 0}).to(at::kLong);
    CHECK(at::equal(rows.x(index), expected_x.index_select(0, index)));
    CHECK(at::equal(rows.y(1, 3), expected_y.slice(0, 1, 3)));
  };
  for (const LayerRows& rows : {LayerRows(x, y, 20), LayerRows(spilled(x), spilled(y), 20)}) {
    check_same(rows, x, y);
    check_same(rows.train(), x.slice(0, 0, 20), y.slice(0, 0, 20));
    check_same(rows.validation(), x.slice(0, 20), y.slice(0, 20));
    const auto index = at::tensor({5, 3, 9, 1, 7}).to(at::kLong);
    const auto picked = rows.validation().picked(index, 2);
    const auto from = index + 20;
    check_same(picked, x.index_select(0, from), y.index_select(0, from));
    CHECK(at::equal(inputs(picked.train()), x.index_select(0, from.slice(0, 0, 2))));
    CHECK(at::equal(inputs(picked.validation()), x.index_select(0, from.slice(0, 2))));
  }
}

TEST_CASE("stage 1 and the second sweep write the same bytes if nothing fits into memory") {
  const Scratch scratch;
  const auto calibration = random_windows(many, 9);
  const auto expected = converted_layers(calibration, {});
  CHECK(expected.contains("layers/001.safetensors"));
  CHECK(expected.contains("second-sweep/001.json"));
  CHECK(converted_layers(calibration, scratch.context) == expected);
  CHECK(scratch.empty());
}

TEST_CASE("measurements are the same if nothing fits into memory") {
  const Scratch scratch;
  const PicoMoe model;
  const auto windows = random_windows(many, 9);
  const std::vector<ModelPolicy> policies = {{LayerPolicy::above(0.0), LayerPolicy::top(3)},
                                             {LayerPolicy::dense(), LayerPolicy::above(0.1)}};
  const auto in_memory = score(model.source, model.moe, windows, policies, {});
  const auto on_disk = score(model.source, model.moe, windows, policies, scratch.context);
  CHECK(on_disk.dense_nll == in_memory.dense_nll);
  for (std::size_t p = 0; p < policies.size(); ++p) {
    CHECK(on_disk.policies[p].kl == in_memory.policies[p].kl);
    CHECK(on_disk.policies[p].nll == in_memory.policies[p].nll);
    CHECK(on_disk.policies[p].same == in_memory.policies[p].same);
    CHECK(on_disk.policies[p].mean_experts == in_memory.policies[p].mean_experts);
  }
  const auto routing = measure_routing(model.source, model.moe, {0, 1}, windows, {});
  const auto routing_on_disk = measure_routing(model.source, model.moe, {0, 1}, windows, scratch.context);
  CHECK(to_json(routing_on_disk.profile) == to_json(routing.profile));
  CHECK((routing_on_disk.candidates == routing.candidates));
  CHECK(estimate_sensitivity(model.source, model.moe, routing.candidates, {}, windows, 3, scratch.context)
            .candidates ==
        estimate_sensitivity(model.source, model.moe, routing.candidates, {}, windows, 3, {}).candidates);
  CHECK(scratch.empty());
}

TEST_CASE("a stream in bf16 gives nearly the KL of one in fp32") {
  const PicoMoe fine, coarse(at::kBFloat16);
  const std::vector<ModelPolicy> policies = {{LayerPolicy::above(0.0), LayerPolicy::top(3)}};
  const auto kl = [&](const PicoMoe& model) {
    return summarise(score(model.source, model.moe, random_windows(40, 9), policies, {}), 0).kl;
  };
  const double rounded = kl(coarse), exact = kl(fine);
  CHECK(rounded != exact);
  // bf16 keeps eight bits: every value of the stream is off by at most a 512th of itself, up or down, and
  // what that does to the predictions of single tokens averages out over all of them.
  CHECK(rounded == doctest::Approx(exact).scale(0).epsilon(1.0 / 256));
}

TEST_CASE("a disk that scratch files fill up is an error that says what helps") {
  const Scratch scratch;
  const PicoMoe model;
  const EnvironmentVariable disk("LADIMO_DISK_FULL_AFTER_BYTES", "1");
  try {
    measure_routing(model.source, model.moe, {0, 1}, model.windows, scratch.context);
    FAIL("no error");
  } catch (const Refusal&) {
    FAIL("a full disk is no bad input");
  } catch (const Error& error) {
    CHECK(std::string(error.what()).find("A scratch file cannot be written") != std::string::npos);
    CHECK(error.hint().find("{memory}") != std::string::npos);
    CHECK(error.path() == scratch.folder.path());
  }
  CHECK(scratch.empty());
}
