// MoE classes as export formats: a layer computes what the run's does, the files say what was written, and a
// mistake in them is found and placed.
#include <functional>

#include <ATen/ATen.h>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "stream/window_order.h"
#include "support/pico_moe.h"
#include "transfer/moe_finish.h"
#include "transfer/moe_fit.h"
#include "transfer/moe_folder.h"
#include "transfer/moe_gguf.h"
#include "transfer/standard_file.h"

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

/// Converted layers that every class can have: nothing replaces what is skipped, no bias, nothing shared
/// where the class has no shared expert.
MoeWeights plain(const MoeWeights& weights, const MoeClass& target) {
  MoeWeights layer = weights;
  layer.router = layer.router * 0.1;  // routing weights are of this size
  layer.router_bias = layer.router_bias * 0.1;
  layer.compensation = at::Tensor();
  layer.down_bias = at::Tensor();
  if (!target.selection_bias) layer.router_bias = at::zeros_like(layer.router_bias);
  if (target.shared) return layer;
  const auto own = layer.shared_neurons;
  for (at::Tensor* rows : {&layer.gate, &layer.up, &layer.down}) *rows = rows->slice(0, own).contiguous();
  layer.shared_neurons = 0;
  return layer;
}

/// A pico model whose layers have the form of a class; layer 0 stays dense where the class allows it.
struct Example {
  PicoMoe pico;
  const MoeClass& target;
  std::vector<std::shared_ptr<const StandardMoe>> layers;
  MoeModel model;

  Example(const MoeClass& target_class, bool gguf)
      : target(target_class), model{&target_class, pico.source.checkpoint(), {}, [this](int l) {
                                      return layers[static_cast<std::size_t>(l)];
                                    }} {
    const auto dense = (gguf ? target.in_gguf : target.in_transformers).dense;
    for (std::size_t l = 0; l < pico.layers.size(); ++l) {
      layers.push_back(std::make_shared<StandardMoe>(
          standard_layer(target, plain(*pico.layers[l], target), 3, at::kFloat)));
      model.routed.push_back(l > 0 || dense == DenseLayers::none);
    }
  }

  LayerwiseModel expected() const {
    return with_ffns(pico.source, [this](std::int64_t l) -> std::shared_ptr<const FeedForward> {
      const auto i = static_cast<std::size_t>(l);
      return model.routed[i] ? layers[i] : nullptr;
    });
  }
  fs::path write(bool gguf) const {
    const auto path = pico.folder / (gguf ? "model.gguf" : "exported");
    if (gguf) {
      write_moe_gguf(model, path, GgufPrecision::f32, std::uint64_t{1} << 40, {});
    } else {
      create_directories(path);
      write_moe_folder(model, path, std::uint64_t{1} << 30, {});
    }
    return path;
  }
  LayerwiseModel read(const fs::path& path, bool gguf) const {
    return gguf ? read_moe_gguf(target, path, at::kCPU) : read_moe_folder(target, path, at::kCPU);
  }
};

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

/// Writes a model in which `change` was planted, and returns what the comparison says.
std::string complaint(const MoeClass& target, const std::function<void(StandardMoe&)>& change) {
  Example example(target, false);
  const auto expected = example.expected();
  auto changed = std::make_shared<StandardMoe>(*example.layers[1]);
  for (at::Tensor* tensor : {&changed->router, &changed->selection_bias, &changed->gate, &changed->up,
                             &changed->down, &changed->shared_down})
    if (tensor->defined()) *tensor = tensor->clone();
  change(*changed);
  example.model.layer = [&](int l) { return l == 1 ? changed : example.layers[static_cast<std::size_t>(l)]; };
  const auto path = example.write(false);
  try {
    require_same_tensors(expected, example.read(path, false), 1e-6, {});
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

/// A pico model whose layers were fitted to a class.
struct FittedExample {
  PicoMoe pico;
  Windows windows = random_windows(24, 33);
  Recipe recipe;
  ModelPolicy policy = ModelPolicy(2, LayerPolicy::top(4));
  std::vector<FittedLayer> layers;

  explicit FittedExample(const MoeClass& target) {
    recipe.layers = {0, 1};
    fit_for_class(target, pico.source, pico.moe, policy, recipe, windows, at::kFloat,
                  [&](int, const FittedLayer& layer) { layers.push_back(layer); }, {});
    REQUIRE(layers.size() == 2);
  }
};

}  // namespace

TEST_CASE("a layer of a class computes what the run's layer does under top-k") {
  for (const MoeClass& target : moe_classes()) {
    INFO(target.name);
    const Example example(target, false);
    const auto weights = plain(*example.pico.layers[1], target);
    // Experts whose weights are nearly equal may change places where scores are rounded, so the routing
    // weights of the inputs must be apart.
    const auto x = random_tensor({64, 32}, 7);
    const auto expected = MoeLayer(std::make_shared<MoeWeights>(weights), LayerPolicy::top(3)).forward(x);
    const auto found = example.layers[1]->forward(x);
    CHECK(relative_difference(found.y, expected.y) < 0.05);
    CHECK(at::equal(found.experts, expected.experts));
    // Where scores are told apart, mixing weights are equal but for the router's small scale.
    const auto mixed = example.layers[1]->mixing(x);
    CHECK(at::equal((mixed != 0), select_experts(weights.route(x), LayerPolicy::top(3))));
  }
}

TEST_CASE("null experts change nothing but the number of experts that run") {
  const Example example(moe_class_named("glm4moe"), false);
  const auto more = with_null_experts(*example.layers[1], 2, 4);
  const auto x = random_tensor({64, 32}, 7);
  CHECK(relative_difference(more.forward(x).y, example.layers[1]->forward(x).y) < 1e-6);
  CHECK(more.experts() == example.layers[1]->experts() + 2);
  CHECK(at::equal((more.mixing(x) != 0).sum(1), at::full({64}, 4, at::kLong)));
}

TEST_CASE("folders and GGUF files give the same tensors and logits again") {
  const auto ids = ids_of(random_windows(2, 9), 0, 2);
  for (const MoeClass& target : moe_classes())
    for (const bool gguf : {false, true}) {
      INFO(target.name, gguf);
      const Example example(target, gguf);
      const auto written = example.read(example.write(gguf), gguf);
      require_same_tensors(example.expected(), written, 1e-6, {});
      CHECK(largest_difference(logits_of(written, ids, {}), logits_of(example.expected(), ids, {})) < 1e-4);
    }
}

TEST_CASE("planted mistakes are found and placed") {
  const auto& glm = moe_class_named("glm4moe");
  CHECK(complaint(glm, [](StandardMoe&) {}).empty());
  const auto swapped = complaint(glm, [](StandardMoe& layer) {
    const auto first = layer.down[2].clone();
    layer.down[2].copy_(layer.down[5]);
    layer.down[5].copy_(first);
  });
  CHECK(says(swapped, "layer 1, down projection of expert 2"));
  CHECK(says(complaint(glm, [](StandardMoe& layer) { layer.selection_bias.zero_(); }),
             "layer 1, bias of the choice of experts"));
  CHECK(says(complaint(glm, [](StandardMoe& layer) { layer.gate[0].neg_(); }),
             "layer 1, gate projection of expert 0"));
  CHECK(says(
      complaint(moe_class_named("granitemoeshared"),
                [](StandardMoe& layer) { layer.shared_down = layer.shared_down.flip({0}).contiguous(); }),
      "layer 1, down projection of the shared expert"));
}

TEST_CASE("a wrong order of rotary rows and a transposed projection are found and placed") {
  const Example example(moe_class_named("mixtral"), true);
  const auto written = example.read(example.write(true), true);
  const auto with = [&](const std::function<void(DecoderLayer&)>& change) {
    LayerwiseModel changed = written;
    changed.layer = [&written, change](std::int64_t l) {
      auto layer = written.layer(l);
      if (l == 1) change(layer);
      return layer;
    };
    try {
      require_same_tensors(example.expected(), changed, 1e-6, {});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const auto permuted = [](const at::Tensor& rows, std::int64_t heads) {
    return rows.view({heads, 2, -1, rows.size(1)}).transpose(1, 2).reshape(rows.sizes());
  };
  CHECK(with([](DecoderLayer&) {}).empty());
  CHECK(says(with([&](DecoderLayer& layer) { layer.q = permuted(layer.q, layer.heads); }),
             "layer 1, query projection"));
  CHECK(says(with([](DecoderLayer& layer) { layer.o = layer.o.t(); }),
             "layer 1, output projection of the attention"));
}

TEST_CASE("a fit brings every class nearer to the dense model than leaving things out") {
  for (const MoeClass& target : moe_classes()) {
    INFO(target.name);
    const FittedExample example(target);
    const PicoMoe& pico = example.pico;
    const auto& fitted = example.layers;
    const auto error = [&](bool after) {
      const auto h = pico.source.embed(ids_of(example.windows, 0, 24));
      const auto layer = pico.source.layer(0);
      const auto x = layer.add_ffn(layer.attend(h, pico.source.rotary())).x;
      const auto y = layer.ffn->forward(x).y;
      const auto& moe = after ? fitted[0].fitted : fitted[0].as_it_is;
      return relative_difference(moe.forward(x).y, y);
    };
    CHECK(error(true) < 0.9 * error(false));
    const auto experts = fitted[0].fitted.forward(random_tensor({8, 32}, 1)).experts;
    CHECK(experts.min().item<double>() == experts.max().item<double>());
  }
}

TEST_CASE("a layer of a class and its weights are the same layer") {
  for (const MoeClass& target : moe_classes()) {
    INFO(target.name);
    const PicoMoe pico;
    const auto layer = standard_layer(target, plain(*pico.layers[1], target), 3, at::kFloat);
    const auto again = standard_layer(target, weights_of(target, layer), 3, at::kFloat);
    const auto x = random_tensor({16, 32}, 4);
    CHECK(again.gating == layer.gating);
    CHECK(relative_difference(again.forward(x).y, layer.forward(x).y) < 1e-6);
    CHECK(at::equal(again.mixing(x) != 0, layer.mixing(x) != 0));
  }
}

TEST_CASE("training brings every fitted class nearer to the dense model, and keeps its form") {
  for (const MoeClass& target : moe_classes()) {
    INFO(target.name);
    FittedExample example(target);
    const PicoMoe& pico = example.pico;
    const Windows& windows = example.windows;
    const ModelPolicy& policy = example.policy;
    Recipe& recipe = example.recipe;
    recipe.compute = "fp32";
    recipe.finish.epochs = 8;
    recipe.finish.learning_rate = 0.04;  // of which half is used
    std::vector<StandardMoe> fitted, finished;
    for (const FittedLayer& layer : example.layers) fitted.push_back(layer.fitted);
    const LayersOfClass first = [&](int l) { return fitted[static_cast<std::size_t>(l)]; };
    const auto judging = WindowOrder(windows.count(), recipe.stage1.validation_share).judging(windows);
    const double before = kls_of_class(pico.source, policy, {first}, judging, {}).front();
    CHECK(finish_for_class(target, pico.source, policy, first, before, recipe, windows, at::kFloat,
                           [&](int, const StandardMoe& layer) { finished.push_back(layer); }, {}));
    REQUIRE(finished.size() == 2);
    const auto kl = [&](const std::vector<StandardMoe>& layers) {
      const LayersOfClass layer = [&](int l) { return layers[static_cast<std::size_t>(l)]; };
      return kls_of_class(pico.source, policy, {layer}, windows, {}).front();
    };
    CHECK(kl(finished) < 0.95 * kl(fitted));
    for (std::size_t l = 0; l < 2; ++l) {
      CHECK(finished[l].gating == fitted[l].gating);
      CHECK(finished[l].selection_bias.defined() == target.selection_bias);
      CHECK(finished[l].gate.sizes() == fitted[l].gate.sizes());
    }
  }
}

TEST_CASE("layers keep everything on their way through a file") {
  const Example example(moe_class_named("qwen2moe"), false);
  const auto file = example.pico.folder / "layer.safetensors";
  save_standard_moe(file, *example.layers[1]);
  const auto read = load_standard_moe(file, at::kCPU);
  CHECK(read.gating == example.layers[1]->gating);
  const auto x = random_tensor({4, 32}, 3);
  CHECK(at::equal(read.forward(x).y, example.layers[1]->forward(x).y));
}
