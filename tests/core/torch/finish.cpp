// The end-to-end finish: the differentiable model compared with the one that runs, the routers' gradient, and
// the training loop.
#include "training/finish.h"

#include <algorithm>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "decode/decoder.h"
#include "support/pico_model.h"
#include "support/random_windows.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "training/elastic_student.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

namespace {

/// A pico model with both layers converted badly: noise on the down rows is there to be trained away.
struct Example {
  TemporaryFolder folder;
  WeightSource source;
  ConvertedLayers layers;
  Windows calibration = random_windows(60, 9);
  Recipe recipe;

  Example() : source(make(folder.path())) {
    for (std::int64_t l = 0; l < source.config().layers; ++l) {
      auto weights = random_moe(*source.dense_ffn(l), 8, 16, static_cast<std::uint64_t>(l));
      weights.down = weights.down + random_tensor(weights.down.sizes(), 50, 0.01);
      layers.emplace_back(std::move(weights));
    }
    recipe.layers = {0, 1};
    recipe.experts = 12;
    recipe.shared = 4;
    recipe.finish.epochs = 2;
    recipe.finish.batch = 128;
  }

  static WeightSource make(const std::filesystem::path& path) {
    write_pico_model(path);
    return open_weights(path);
  }

  Finished finish() const {
    const auto of = [this](int l) -> const MoeWeights& { return *layers[static_cast<std::size_t>(l)]; };
    const MoeLayers moe{[of](int l) { return std::make_shared<const MoeWeights>(of(l)); },
                        [of](int l) { return of(l).shape(); }};
    return finish_end_to_end(source, moe, recipe, calibration, at::kFloat, {});
  }
};

}  // namespace

TEST_CASE("the student computes the same as the converted model, dense and moving layers included") {
  Example example;
  example.layers[1] = moving(*example.layers[1]);
  const ElasticStudent student(example.source, example.layers, 0.3, at::kFloat);
  const auto windows = picked_windows(example.calibration, std::vector<std::int64_t>{0, 1, 2, 3});
  const std::vector<SliderPosition> positions = {
      {std::nullopt, std::nullopt}, {0.1, 0.2}, {std::nullopt, 0.0}};
  for (const auto& position : positions) {
    std::vector<std::shared_ptr<const FeedForward>> ffns(2);
    for (std::size_t l = 0; l < position.size(); ++l)
      if (position[l])
        ffns[l] = std::make_shared<MoeLayer>(std::make_shared<MoeWeights>(*example.layers[l]),
                                             LayerPolicy::above(*position[l]));
    const auto expected = Decoder(example.source, ffns).forward(ids_of(windows, 0, 4)).logits;
    const auto h = student.forward(windows, position).h;
    CHECK(relative_difference(example.source.head().logits(h), expected) < 1e-4);
  }
}

TEST_CASE("the selection is hard; its gradient moves experts against each other but not their number") {
  at::AutoGradMode with_gradients(true);
  const auto routing = random_tensor({50, 6}, 1).set_requires_grad(true);
  const auto width = at::full({}, 0.3);
  const auto selected = differentiable_selection(routing, 0.2, width);
  CHECK(at::equal(selected.detach(), (routing.detach() >= 0.2).to(at::kFloat)));
  auto gain = random_tensor({50, 6}, 2);
  const auto gradient = torch::autograd::grad({(selected * gain).sum()}, {routing})[0];
  CHECK(std::abs(gradient.sum().item<double>()) < 1e-3 * gradient.abs().sum().item<double>());
  CHECK((gradient * gain).sum().item<double>() > 0);
  // A gain that is the same for every expert moves none.
  const auto even = differentiable_selection(routing, 0.2, width);
  const auto none = torch::autograd::grad({even.sum()}, {routing})[0];
  CHECK(none.abs().max().item<double>() < 1e-5);
}

TEST_CASE("the student's gradient matches finite differences of its output") {
  Example example;
  example.layers[1] = moving(*example.layers[1]);
  const ElasticStudent student(example.source, example.layers, 0.3, at::kFloat);
  const auto windows = picked_windows(example.calibration, std::vector<std::int64_t>{0, 1});
  const SliderPosition position = {0.1, 0.2};
  const auto direction = random_tensor({2, 16, 32}, 5);
  std::vector<at::Tensor> gradients(student.parameters().size());
  {
    at::AutoGradMode with_gradients(true);
    student.forward(windows, position).differentiate(direction, gradients);
  }
  const auto value = [&] { return (student.forward(windows, position).h * direction).sum().item<double>(); };
  // Checks gate, up, down, compensation and the shifts of layer 1, on which the selection does not depend.
  REQUIRE(student.parameters().size() == 15);
  for (const std::size_t p : {6, 7, 8, 9, 12, 13, 14}) {
    auto parameter = student.parameters()[p];
    const auto step = gradients[p] / gradients[p].norm();
    parameter.add_(step, 1e-2);
    const double above = value();
    parameter.add_(step, -2e-2);
    const double below = value();
    parameter.add_(step, 1e-2);
    CHECK((above - below) / 2e-2 == doctest::Approx(gradients[p].norm().item<double>()).epsilon(0.02));
  }
}

TEST_CASE("the student's gradients in bf16 are those in fp32, but for rounding") {
  Example example;
  example.layers[1] = moving(*example.layers[1]);
  const auto windows = picked_windows(example.calibration, std::vector<std::int64_t>{0, 1, 2, 3});
  const auto direction = random_tensor({4, 16, 32}, 5);
  const auto gradients = [&](at::ScalarType compute) {
    const ElasticStudent student(example.source, example.layers, 0.3, compute);
    at::AutoGradMode with_gradients(true);
    // All experts run: rounding could move one across its threshold.
    std::vector<at::Tensor> sums(student.parameters().size());
    student.forward(windows, {-100.0, std::nullopt}).differentiate(direction, sums);
    return sums;
  };
  const auto narrow = gradients(at::kBFloat16), wide = gradients(at::kFloat);
  for (const std::size_t p : {0, 1, 2}) {  // gate, up and down of layer 0
    CHECK((narrow[p].scalar_type() == at::kFloat));
    CHECK(relative_difference(narrow[p], wide[p]) < 0.05);
  }
}

TEST_CASE("the finish improves the whole slider on held-back windows, with the same bits every time") {
  const Example example;
  const auto finished = example.finish();
  REQUIRE(finished.held_out_losses.size() == 2);
  CHECK(finished.held_out_losses.back() < -0.02);
  REQUIRE(finished.layers.size() == 2);
  CHECK_FALSE(at::equal(finished.layers.at(0).gate, example.layers[0]->gate));
  CHECK(at::equal(finished.layers.at(0).permutation, example.layers[0]->permutation));
  const auto again = example.finish();
  CHECK(at::equal(finished.layers.at(1).down, again.layers.at(1).down));
  CHECK(at::equal(finished.layers.at(1).router, again.layers.at(1).router));
}

TEST_CASE(
    "an elastic finish leaves layers that move with the slider; a dedicated one and `shift: false` do not") {
  Example example;
  const auto moving = example.finish().layers;
  REQUIRE(moving.size() == 2);
  CHECK(moving.at(0).moves());
  CHECK(moving.at(0).gate_shift.abs().max().item<double>() > 0);
  example.recipe.finish.shift = false;
  CHECK_FALSE(example.finish().layers.at(0).moves());
  example.recipe.finish.shift = true;
  example.recipe.stage1.elastic = false;
  example.recipe.stage1.levels = {0.6};
  const auto dedicated = example.finish();
  CHECK(dedicated.held_out_losses.back() < -0.02);
  REQUIRE(dedicated.layers.size() == 2);
  for (const auto& [layer, weights] : dedicated.layers) CHECK_FALSE(weights.moves());
}

TEST_CASE("shifts lead from the dense FFN, with all experts on, through the weights at half of them") {
  const Example example;
  const auto ffn = example.source.dense_ffn(0);
  const MoeWeights weights = *example.layers[0];
  CHECK_FALSE(with_shifts(weights, *ffn, {}).moves());
  const auto routed = static_cast<double>(weights.routed());
  const auto shifted =
      with_shifts(weights, *ffn, {LayerPolicy::above(-1, routed), LayerPolicy::above(1, routed / 2)});
  const auto all_on = shifted.at(LayerPolicy::above(-1));
  CHECK(max_difference(all_on.down, ffn->down.t().index_select(0, weights.permutation)) < 1e-6);
  CHECK(max_difference(all_on.gate, ffn->gate.index_select(0, weights.permutation)) < 1e-6);
  CHECK(max_difference(all_on.up, ffn->up.index_select(0, weights.permutation)) < 1e-6);
  const auto half_on = shifted.at(LayerPolicy::above(1));
  CHECK(max_difference(half_on.down, weights.down) < 1e-6);
  CHECK(max_difference(weights.down, all_on.down) > 1e-3);  // otherwise the checks above would prove nothing
}

TEST_CASE("a finish that makes nothing better is not kept") {
  Example example;
  example.recipe.finish.learning_rate = 1e-30;  // the weights stay as they are, and so does the KL
  example.recipe.finish.shift = false;
  CHECK(example.finish().layers.empty());
}

TEST_CASE(
    "a learning rate that is far too high does no harm: no step goes beyond what its gradient promises") {
  Example example;
  example.recipe.finish.learning_rate = 30;
  example.recipe.finish.epochs = 4;
  const auto finished = example.finish();
  REQUIRE(finished.held_out_losses.size() == 4);
  CHECK(std::ranges::min(finished.held_out_losses) < 0);
  CHECK_FALSE(finished.layers.empty());
}
