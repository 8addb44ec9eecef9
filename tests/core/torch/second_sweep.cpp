// The second sweep: what it does to the layers on the converted model's own inputs, and to the run folder.
#include "training/second_sweep.h"

#include <map>

#include <ATen/ATen.h>

#include "base/files.h"
#include "model/routing_weights.h"
#include "run/sweep_record.h"
#include "stream/calibration_stream.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "training/stage1.h"

// Last: torch's logging headers define a CHECK of their own.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

Windows random_windows(int count, std::uint64_t seed) {
  Windows windows{16, {}, {}};
  Random random(seed);
  for (int w = 0; w < count; ++w) {
    windows.source.push_back(0);
    windows.tokens.push_back(1);
    for (int i = 1; i < 16; ++i) windows.tokens.push_back(static_cast<std::int32_t>(random.below(4096)));
  }
  return windows;
}

/// A pico model with its layers converted in a run folder.
struct Converted {
  TemporaryFolder folder;
  WeightSource source;
  RunFolder run{folder / "run"};
  Recipe recipe;
  Windows calibration = random_windows(160, 9);

  explicit Converted(std::vector<int> layers = {0, 1, 2}) : source(make(folder / "model")) {
    recipe.layers = std::move(layers);
    recipe.experts = 12;
    recipe.shared = 3;
    recipe.stage1.router_ranks.clear();
    recipe.stage1.refit = recipe.stage1.distil = false;  // so that there is much left to gain
    fs::create_directories(run.layer_weights(0).parent_path());
    convert_layers(source, run, recipe, calibration, {});
  }

  static WeightSource make(const fs::path& path) {
    ModelShape pico;
    pico.layers = 3;
    write_pico_model(path, pico);
    return open_weights(path);
  }

  void sweep() const { sweep_again(source, run, recipe, calibration, {}); }

  std::map<std::string, std::string> bytes() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::directory_iterator(run.path() / "second-sweep"))
      files[entry.path().filename().string()] = read_file(entry.path());
    return files;
  }
};

/// Squared error of `weights` on the rows x at `threshold`.
double error(const MoeWeights& weights, const at::Tensor& x, const at::Tensor& y, double threshold) {
  return (MoeLayer(std::make_shared<MoeWeights>(weights), LayerPolicy::above(threshold)).forward(x).y - y)
      .square()
      .sum()
      .item<double>();
}

/// Of every layer, before and after the sweep, on what the swept model itself gives it at `level`.
std::vector<std::pair<double, double>> errors_on_own_inputs(const Converted& c, const Windows& windows,
                                                            double level) {
  std::vector<std::pair<double, double>> errors;
  auto h = c.source.embedding()
               .index_select(0, at::tensor(windows.tokens).to(at::kLong))
               .view({windows.count(), windows.window, -1});
  for (int l = 0; l < 3; ++l) {
    const auto layer = c.source.layer(l);
    h = layer.attend(h, c.source.rotary());
    const auto all = layer.ffn_input(h);
    const auto x = all.slice(1, 1).flatten(0, 1);
    const auto y = layer.ffn->forward(x).y;
    const auto before = load_moe_weights(c.run.layer_weights(l), at::kCPU, at::kFloat);
    const auto after = load_moe_weights(weights_before_finish(c.run, l).path, at::kCPU, at::kFloat);
    const double threshold = thresholds_at(before.route(x), {level}).front();
    errors.emplace_back(error(before, x, y, threshold), error(after, x, y, threshold));
    const MoeLayer moe(std::make_shared<MoeWeights>(after), LayerPolicy::above(threshold));
    h = h + moe.forward(all.flatten(0, 1)).y.view_as(h);
  }
  return errors;
}

}  // namespace

TEST_CASE("the second sweep lowers the error on the converted model's own inputs") {
  const Converted c;
  c.sweep();
  for (const int l : c.recipe.layers) {
    const auto record = read_sweep(c.run, l);
    REQUIRE(record);
    CHECK(record->layer == l);
    CHECK(record->loss_after < record->loss_before);
    CHECK(fs::exists(swept_weights(c.run, l)));
  }
  // On windows that nothing was fitted to.
  for (const double level : {0.3, 0.6}) {
    for (const auto& [before, after] : errors_on_own_inputs(c, random_windows(40, 77), level))
      CHECK(after < 0.99 * before);
  }
}

TEST_CASE("only down projection and compensation (or the bias in its place) change") {
  const Converted c;
  c.sweep();
  const auto before = load_moe_weights(c.run.layer_weights(2), at::kCPU, at::kFloat);
  const auto after = load_moe_weights(swept_weights(c.run, 2), at::kCPU, at::kFloat);
  CHECK(at::equal(after.gate, before.gate));
  CHECK(at::equal(after.up, before.up));
  CHECK(at::equal(after.router, before.router));
  CHECK(at::equal(after.permutation, before.permutation));
  CHECK_FALSE(at::equal(after.down, before.down));
  const auto offset = [](const MoeWeights& w) {
    return w.compensation.defined() ? w.compensation : w.down_bias;
  };
  CHECK_FALSE(at::equal(offset(after), offset(before)));
}

TEST_CASE("a refit that makes things worse is not kept") {
  Converted c;
  c.recipe.stage1.refit_ridge = 0;
  c.calibration = random_windows(6, 3);  // fewer rows than unknowns
  c.sweep();
  for (const int l : c.recipe.layers) {
    CHECK(sweep_intact(c.run, l));
    CHECK(read_sweep(c.run, l)->loss_after == read_sweep(c.run, l)->loss_before);
    CHECK(weights_before_finish(c.run, l).path == c.run.layer_weights(l));
  }
}

TEST_CASE("an interrupted second sweep continues to the same bytes; a damaged layer is made anew") {
  const Converted c;
  c.sweep();
  const auto expected = c.bytes();
  REQUIRE(expected.size() == 6);
  for (const int l : {1, 2}) {
    fs::remove(sweep_file(c.run, l));
    fs::remove(swept_weights(c.run, l));
  }
  c.sweep();
  CHECK(c.bytes() == expected);
  fs::remove(sweep_file(c.run, 1));
  write_file(swept_weights(c.run, 1), "half");
  c.sweep();
  CHECK(c.bytes() == expected);
  std::atomic<bool> cancel = true;
  CHECK_NOTHROW(sweep_again(c.source, c.run, c.recipe, c.calibration, Context({}, &cancel)));
  fs::remove(sweep_file(c.run, 2));
  CHECK_THROWS_AS(sweep_again(c.source, c.run, c.recipe, c.calibration, Context({}, &cancel)), Interrupted);
}

TEST_CASE("layers that stay dense are passed through") {
  const Converted c({0, 2});
  c.sweep();
  CHECK(sweep_intact(c.run, 0));
  CHECK(sweep_intact(c.run, 2));
  CHECK_FALSE(fs::exists(sweep_file(c.run, 1)));
}

TEST_CASE("a stream in two halves is the stream in one; FFNs are dealt to windows") {
  const Converted c;
  CalibrationStream whole(c.source, c.calibration, 0.05), halves(c.source, c.calibration, 0.05),
      dealt(c.source, c.calibration, 0.05);
  const auto first = c.source.layer(0), second = c.source.layer(1);
  const auto expected = whole.advance(first, true, {});
  const auto rows = halves.attend(first, true, {});
  CHECK(at::equal(rows.x, expected.x));
  CHECK(at::equal(rows.y, expected.y));
  CHECK(rows.training == expected.training);
  halves.feed_forward(first, 0, halves.windows(), {first.ffn}, {});
  dealt.attend(first, false, {});
  dealt.feed_forward(first, 0, dealt.training_windows(), {first.ffn, second.ffn}, {});
  dealt.feed_forward(first, dealt.training_windows(), dealt.windows(), {first.ffn}, {});
  const auto after = whole.advance(second, true, {}).x;
  CHECK(relative_difference(halves.advance(second, true, {}).x, after) < 1e-5);
  const auto mixed = dealt.advance(second, true, {}).x;
  for (std::int64_t w = 0; w < dealt.windows(); ++w) {
    const bool own = w % 2 == 0 || w >= dealt.training_windows();
    const auto difference =
        relative_difference(mixed.slice(0, w * 15, (w + 1) * 15), after.slice(0, w * 15, (w + 1) * 15));
    CHECK((difference < 1e-5) == own);
  }
}
