// The end-to-end finish: the differentiable model compared with the one that runs, the routers' gradient, and
// the training loop.
#include "training/finish.h"

#include <algorithm>
#include <atomic>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "decode/decoder.h"
#include "support/pico_model.h"
#include "support/random_windows.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"
#include "training/block_finish.h"
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

  MoeLayers provider() const {
    const auto of = [this](int l) -> const MoeWeights& { return *layers[static_cast<std::size_t>(l)]; };
    return {[of](int l) { return std::make_shared<const MoeWeights>(of(l)); },
            [of](int l) { return of(l).shape(); }};
  }
  Trained finish() const {
    return finish_end_to_end(source, provider(), recipe, calibration, at::kFloat, {});
  }
  Trained finish_by_blocks(const Context& context = {}) const {
    Trained finished;
    const auto keep = [&](int layer, const MoeWeights& weights) { finished.layers.emplace(layer, weights); };
    finished.held_out_losses =
        ladimo::finish_by_blocks(source, provider(), recipe, calibration, at::kFloat, keep, context);
    return finished;
  }

  /// KL(dense || converted) of next-token distributions, averaged over tokens that nothing was trained on,
  /// with both layers at `threshold`.
  double kl_at(double threshold) const {
    const auto ids = ids_of(random_windows(40, 77), 0, 40);
    std::vector<std::shared_ptr<const FeedForward>> ffns;
    for (const auto& weights : layers)
      ffns.push_back(
          std::make_shared<MoeLayer>(std::make_shared<MoeWeights>(*weights), LayerPolicy::above(threshold)));
    const auto log_p = Decoder(source, {nullptr, nullptr}).forward(ids).logits.log_softmax(-1);
    const auto log_q = Decoder(source, ffns).forward(ids).logits.log_softmax(-1);
    return (log_p.exp() * (log_p - log_q)).sum(-1).mean().item<double>();
  }
};

}  // namespace

TEST_CASE("the student computes the same as the converted model, dense and moving layers included") {
  Example example;
  example.layers[1] = moving(*example.layers[1]);
  const ElasticStudent student(example.source, 0, example.layers, 0.3, at::kFloat);
  const auto windows = picked_windows(example.calibration, std::vector<std::int64_t>{0, 1, 2, 3});
  const auto dense = LayerPolicy::dense();
  const std::vector<ModelPolicy> policies = {{dense, dense},
                                             {LayerPolicy::above(0.1), LayerPolicy::above(0.2)},
                                             {dense, LayerPolicy::above(0.0)},
                                             {LayerPolicy::top(2), LayerPolicy::top(1)},
                                             {LayerPolicy::top(0), LayerPolicy::above(0.1)}};
  for (const auto& policy : policies) {
    std::vector<std::shared_ptr<const FeedForward>> ffns(2);
    for (std::size_t l = 0; l < policy.size(); ++l)
      if (policy[l].kind != LayerPolicy::Kind::dense)
        ffns[l] = std::make_shared<MoeLayer>(std::make_shared<MoeWeights>(*example.layers[l]), policy[l]);
    const auto h = example.source.embed(ids_of(windows, 0, 4));
    const auto expected = Decoder(example.source, ffns).forward(ids_of(windows, 0, 4)).logits;
    const auto after = student.forward(h, policy).h;
    CHECK(relative_difference(example.source.head().logits(after), expected) < 1e-4);
  }
}

TEST_CASE("a student of one layer continues where that of the layers before it ends") {
  const Example example;
  const auto h = example.source.embed(ids_of(example.calibration, 0, 4));
  const auto student_of = [&](std::int64_t first, ConvertedLayers layers) {
    return ElasticStudent(example.source, first, std::move(layers), 0.3, at::kFloat);
  };
  const auto first = LayerPolicy::above(0.1), second = LayerPolicy::above(0.2);
  const auto between = student_of(0, {example.layers[0]}).forward(h, {first}).h;
  const auto after = student_of(1, {example.layers[1]}).forward(between, {second}).h;
  CHECK(at::equal(after, student_of(0, example.layers).forward(h, {first, second}).h));
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

TEST_CASE("top-k is hard as well; its gradient moves the experts of a token against each other") {
  at::AutoGradMode with_gradients(true);
  const auto routing = random_tensor({50, 6}, 1).set_requires_grad(true);
  const auto width = at::full({}, 0.3);
  const auto selected = differentiable_top_k(routing, 2, width);
  CHECK(at::equal(selected.detach(), select_experts(routing.detach(), LayerPolicy::top(2)).to(at::kFloat)));
  const auto gain = random_tensor({50, 6}, 2);
  const auto gradient = torch::autograd::grad({(selected * gain).sum()}, {routing})[0];
  CHECK(gradient.sum(1).abs().max().item<double>() < 1e-3 * gradient.abs().sum().item<double>());
  CHECK((gradient * gain).sum().item<double>() > 0);
  CHECK(at::equal(differentiable_top_k(routing, 0, width), at::zeros({50, 6})));
  CHECK(at::equal(differentiable_top_k(routing.detach(), 6, width), at::ones({50, 6})));
}

TEST_CASE("the student's gradient matches finite differences of its output") {
  Example example;
  example.layers[1] = moving(*example.layers[1]);
  const ElasticStudent student(example.source, 0, example.layers, 0.3, at::kFloat);
  const auto windows = picked_windows(example.calibration, std::vector<std::int64_t>{0, 1});
  const auto h = example.source.embed(ids_of(windows, 0, 2));
  const ModelPolicy policy = {LayerPolicy::above(0.1), LayerPolicy::above(0.2)};
  const auto direction = random_tensor({2, 16, 32}, 5);
  std::vector<at::Tensor> gradients(student.parameters().size());
  {
    at::AutoGradMode with_gradients(true);
    student.forward(h, policy).differentiate(direction, gradients);
  }
  const auto value = [&] { return (student.forward(h, policy).h * direction).sum().item<double>(); };
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
  const auto h = example.source.embed(ids_of(windows, 0, 4));
  const auto direction = random_tensor({4, 16, 32}, 5);
  const auto gradients = [&](at::ScalarType compute) {
    const ElasticStudent student(example.source, 0, example.layers, 0.3, compute);
    at::AutoGradMode with_gradients(true);
    // All experts run: rounding could move one across its threshold.
    std::vector<at::Tensor> sums(student.parameters().size());
    student.forward(h, {LayerPolicy::above(-100.0), LayerPolicy::dense()}).differentiate(direction, sums);
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

TEST_CASE(
    "block by block every block gets better, and so do the predictions, with the same bits every time") {
  Example example;
  example.recipe.finish.block = 1;
  const auto finished = example.finish_by_blocks();
  REQUIRE(finished.held_out_losses.size() == 2);
  for (const double loss : finished.held_out_losses) CHECK(loss < -0.02);
  REQUIRE(finished.layers.size() == 2);
  CHECK(finished.layers.at(0).moves());
  CHECK(at::equal(finished.layers.at(1).permutation, example.layers[1]->permutation));

  const auto again = example.finish_by_blocks();
  CHECK(again.held_out_losses == finished.held_out_losses);
  CHECK(at::equal(finished.layers.at(1).down, again.layers.at(1).down));
  CHECK(at::equal(finished.layers.at(1).router, again.layers.at(1).router));
  const TemporaryFolder scratch;
  const auto spilled = example.finish_by_blocks(Context().within(MemoryBudget(0, scratch.path())));
  for (std::size_t block = 0; block < 2; ++block)
    CHECK(spilled.held_out_losses[block] == doctest::Approx(finished.held_out_losses[block]).epsilon(1e-3));

  std::vector<double> before;
  const std::vector<double> thresholds = {-0.5, 0, 0.2, 0.8};
  for (const double threshold : thresholds) before.push_back(example.kl_at(threshold));
  for (const auto& [layer, weights] : finished.layers)
    example.layers[static_cast<std::size_t>(layer)] = weights;
  for (std::size_t i = 0; i < thresholds.size(); ++i) CHECK(example.kl_at(thresholds[i]) < before[i]);
}

TEST_CASE("a block holds layers that stay dense, and a model ends with its last converted layer") {
  Example example;
  example.recipe.finish.block = 1;
  example.recipe.layers = {0};
  const auto first = example.finish_by_blocks();
  CHECK(first.held_out_losses.size() == 1);
  CHECK(first.layers.size() == 1);
  CHECK(first.layers.contains(0));
  example.recipe.layers = {1};
  const auto second = example.finish_by_blocks();
  CHECK(second.held_out_losses.size() == 1);
  CHECK(second.layers.contains(1));
  example.recipe.finish.block = 5;
  CHECK(example.finish_by_blocks().layers.contains(1));
}

TEST_CASE("a block that training makes worse stays as it was") {
  Example example;
  example.recipe.finish.block = 1;
  example.recipe.finish.learning_rate = 1e4;
  example.recipe.finish.epochs = 1;
  const auto finished = example.finish_by_blocks();
  CHECK(finished.layers.empty());
  CHECK(finished.held_out_losses == std::vector<double>{0, 0});
}

TEST_CASE("the finish by blocks can be stopped after a block") {
  Example example;
  example.recipe.finish.block = 1;
  std::atomic<bool> cancel = false;
  int blocks = 0;
  const Context context(
      [&](const Event& event) {
        if (std::holds_alternative<LossEvent>(event)) cancel = ++blocks == 1;
      },
      &cancel);
  CHECK_THROWS_AS(example.finish_by_blocks(context), Interrupted);
  CHECK(blocks == 1);
}
