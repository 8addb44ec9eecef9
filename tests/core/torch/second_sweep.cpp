// The second sweep: its effect on the layers, on the converted model's own inputs, and on the run folder.
#include "training/second_sweep.h"

#include <functional>
#include <map>

#include <ATen/ATen.h>

#include "base/files.h"
#include "model/routing_weights.h"
#include "run/run_folder.h"
#include "stream/layer_rows.h"
#include "stream/walk.h"
#include "stream/window_order.h"
#include "support/pico_model.h"
#include "support/random_windows.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "training/stage1.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

/// A pico model and a run folder with its converted layers.
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
    fs::create_directories(run.path());
    convert_layers(source, run, recipe, calibration, {});
  }

  static WeightSource make(const fs::path& path) {
    ModelShape pico;
    pico.layers = 3;
    write_pico_model(path, pico);
    return open_weights(path);
  }

  void sweep(const Context& context = {}) const {
    sweep_again(source, run.layers(), recipe, calibration, context);
  }
  /// A file that the sweep writes for a layer.
  fs::path swept(int layer, const char* ending) const {
    return run.path() / "second-sweep" / ("00" + std::to_string(layer) + ending);
  }
  MoeWeights before(int layer) const {
    return load_moe_weights(run.layers().stage1_weights(layer), at::kCPU, at::kFloat);
  }
  MoeWeights after(int layer) const {
    return load_moe_weights(run.layers().weights_before_finish(layer), at::kCPU, at::kFloat);
  }

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

/// The errors of every layer before and after the sweep, on the inputs that the swept model gives it at
/// `level`.
std::vector<std::pair<double, double>> errors_on_own_inputs(const Converted& c, const Windows& windows,
                                                            double level) {
  std::vector<std::pair<double, double>> errors;
  auto h = c.source.embedding()
               .index_select(0, at::tensor(windows.tokens).to(at::kLong))
               .view({windows.count(), windows.window, -1});
  for (int l = 0; l < 3; ++l) {
    const auto layer = c.source.layer(l);
    h = layer.attend(h, c.source.rotary());
    const auto all = layer.add_ffn(h).x;
    const auto x = all.view_as(h).slice(1, 1).flatten(0, 1);
    const auto y = layer.ffn->forward(x).y;
    const auto before = c.before(l), after = c.after(l);
    const double threshold = thresholds_at(before.route(x), {level}).front();
    errors.emplace_back(error(before, x, y, threshold), error(after, x, y, threshold));
    const MoeLayer moe(std::make_shared<MoeWeights>(after), LayerPolicy::above(threshold));
    h = h + moe.forward(all).y.view_as(h);
  }
  return errors;
}

}  // namespace

TEST_CASE("the second sweep lowers the error on the converted model's own inputs") {
  const Converted c;
  c.sweep();
  for (const int l : c.recipe.layers) {
    const auto record = c.run.layers().sweep(l);
    REQUIRE(record);
    CHECK(record->layer == l);
    CHECK(record->loss_after < record->loss_before);
    CHECK(c.run.layers().weights_before_finish(l) == c.swept(l, ".safetensors"));
  }
  // These windows were not used for fitting.
  for (const double level : {0.3, 0.6}) {
    for (const auto& [before, after] : errors_on_own_inputs(c, random_windows(40, 77), level))
      CHECK(after < 0.99 * before);
  }
}

TEST_CASE("only down projection and compensation (or the bias in its place) change") {
  const Converted c;
  c.sweep();
  const auto before = c.before(2), after = c.after(2);
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
    CHECK(c.run.layers().sweep_intact(l));
    CHECK(c.run.layers().sweep(l)->loss_after == c.run.layers().sweep(l)->loss_before);
    CHECK(c.run.layers().weights_before_finish(l) == c.run.layers().stage1_weights(l));
  }
}

TEST_CASE("an interrupted second sweep continues to the same bytes; a damaged layer is made again") {
  const Converted c;
  c.sweep();
  const auto expected = c.bytes();
  REQUIRE(expected.size() == 6);
  for (const int l : {1, 2}) {
    fs::remove(c.swept(l, ".json"));
    fs::remove(c.swept(l, ".safetensors"));
  }
  c.sweep();
  CHECK(c.bytes() == expected);
  fs::remove(c.swept(1, ".json"));
  write_file(c.swept(1, ".safetensors"), "half");
  c.sweep();
  CHECK(c.bytes() == expected);
  std::atomic<bool> cancel = true;
  CHECK_NOTHROW(c.sweep(Context({}, &cancel)));
  fs::remove(c.swept(2, ".json"));
  CHECK_THROWS_AS(c.sweep(Context({}, &cancel)), Interrupted);
}

TEST_CASE("layers that stay dense are passed through") {
  const Converted c({0, 2});
  c.sweep();
  CHECK(c.run.layers().sweep_intact(0));
  CHECK(c.run.layers().sweep_intact(2));
  CHECK_FALSE(fs::exists(c.swept(1, ".json")));
}

TEST_CASE(
    "a walk through attention and FFN separately equals a walk through whole layers; each window can have "
    "its own FFN") {
  const Converted c;
  const WindowOrder order(c.calibration.count(), 0.05);
  const auto first = c.source.layer(0), second = c.source.layer(1);
  using Deal = std::function<FeedForwards(std::int64_t layer, const DecoderLayer& weights)>;
  const auto rows_of = [&](const Deal& deal) {
    auto stream = ResidualStream::embedded(c.source, order.all(c.calibration), {});
    std::vector<RowCapture> layers;
    for (int l = 0; l < 2; ++l)
      layers.emplace_back(c.source, stream.windows(), order.training, stream.positions(), Context());
    Walk how;
    how.layers = 2;
    how.deal = deal;
    how.see = [&](const LayerChunk& chunk) {
      layers[static_cast<std::size_t>(chunk.layer)].keep(chunk.begin, chunk.x, chunk.y);
    };
    walk(c.source, stream, how, {});
    return std::pair(layers[0].rows(), layers[1].rows());
  };
  const auto whole = rows_of({});
  const auto halves = rows_of([](std::int64_t, const DecoderLayer&) { return FeedForwards(); });
  CHECK(at::equal(inputs(halves.first), inputs(whole.first)));
  CHECK(at::equal(outputs(halves.first), outputs(whole.first)));
  CHECK(halves.first.training() == whole.first.training());
  const auto after = inputs(whole.second);
  CHECK(relative_difference(inputs(halves.second), after) < 1e-5);

  const auto is_own = [&](std::int64_t w) { return w % 2 == 0 || w >= order.training; };
  const auto dealt = rows_of([&](std::int64_t layer, const DecoderLayer&) {
    FeedForwards ffns;
    for (std::int64_t w = 0; layer == 0 && w < c.calibration.count(); ++w)
      ffns.push_back(is_own(w) ? first.ffn : second.ffn);
    return ffns;
  });
  const auto mixed = inputs(dealt.second);
  for (std::int64_t w = 0; w < c.calibration.count(); ++w) {
    const auto difference =
        relative_difference(mixed.slice(0, w * 15, (w + 1) * 15), after.slice(0, w * 15, (w + 1) * 15));
    CHECK((difference < 1e-5) == is_own(w));
  }
}
