// Checks the opponents against their definitions: what they compute and the parameters that they count.
#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "baselines/learned_pruning.h"
#include "baselines/static_pruning.h"
#include "evaluate/evaluation.h"
#include "support/pico_model.h"
#include "support/random_windows.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

namespace {

constexpr std::int64_t d = 24, f = 96, tokens = 900;
constexpr int layers = 4;

/// An FFN and inputs that activate its neurons in groups, as in trained models.
struct Example {
  std::shared_ptr<DenseFfn> ffn;
  LayerRows rows;
  HiddenStatistics statistics;
  Recipe recipe;

  explicit Example(bool biases = false) : ffn(random_ffn(d, f, 1, biases)), rows(rows_of(*ffn)) {
    statistics = measure_hidden(*ffn, rows.train(), {});
    recipe.experts = 24;
    recipe.shared = 6;
    recipe.stage1.feature_tokens = 256;
    recipe.stage1.activation_share = 0.1;
    recipe.stage1.batch = 64;
  }

  static LayerRows rows_of(const DenseFfn& ffn) {
    const auto x =
        at::mm(random_tensor({tokens, 6}, 5), random_tensor({6, d}, 6)) + random_tensor({tokens, d}, 7, 0.3);
    return {x, ffn.forward(x).y, tokens * 9 / 10};
  }

  BaselineTask task(int layer = 0) const { return {*ffn, rows, statistics, recipe, layer, layers, {}}; }
  FeedForwards make_all(const Baseline& baseline, const std::vector<double>& targets, int layer = 0) const {
    auto own = task(layer);
    // Nothing is learned from one FFN: any neurons will do.
    if (baseline.learn != nullptr)
      for (const double target : targets)
        own.kept.push_back(at::arange(static_cast<std::int64_t>(neurons_within(*ffn, target))));
    return baseline.make(own, targets, {});
  }
  std::shared_ptr<const FeedForward> make(const char* name, double target, int layer = 0) const {
    return make_all(*find_baseline(name), {target}, layer).front();
  }
  double error(const FeedForward& made) const {
    const auto held_out = rows.validation();
    return (made.forward(inputs(held_out)).y - outputs(held_out)).square().sum().item<double>();
  }
};

double mean_experts(const FfnOutput& output) {
  return output.experts.defined() ? output.experts.mean().item<double>() : 0;
}

}  // namespace

TEST_CASE("opponents get their usual number of experts, but enough to meet a target by choosing k") {
  CHECK(customary_experts(512, 6) == 16);
  CHECK(customary_experts(352, 5) == 20);
  CHECK(customary_experts(172, 5) == 20);
  CHECK(customary_experts(11008, 32) == 344);
  CHECK(customary_experts(48, 1) == 48);  // experts of one neuron
}

TEST_CASE("every opponent meets the target over the layers, its router counted") {
  for (const bool biases : {false, true}) {
    const Example example(biases);
    for (const Baseline& baseline : baselines()) {
      const std::vector<double> targets = {0.8, 0.55};
      std::vector<double> used(targets.size(), 0.0);
      for (int layer = 0; layer < layers; ++layer) {
        const auto made = example.make_all(baseline, targets, layer);
        REQUIRE(made.size() == targets.size());
        for (std::size_t t = 0; t < targets.size(); ++t) {
          const auto output = made[t]->forward(inputs(example.rows.train()));
          used[t] += made[t]->activated_parameters(mean_experts(output));
          if (output.left_out.defined()) used[t] -= output.left_out.mean().item<double>();
        }
      }
      for (std::size_t t = 0; t < targets.size(); ++t) {
        INFO(baseline.name, " ", targets[t]);
        const double dense = layers * example.task().dense_parameters();
        CHECK(std::abs(used[t] / dense - targets[t]) < 0.015);
      }
    }
  }
}

TEST_CASE("the counted parameters are those that are used") {
  const Example example;
  const auto made = [&](const char* name) { return example.make(name, 0.7); };
  const double m = f / 24.0, routed = 24;
  const auto neurons = [](double count) { return 3 * d * count; };
  // moefication and random have 24 equal experts and a linear router with a bias; random adds a vector for
  // every skipped expert.
  CHECK(made("moefication")->activated_parameters(10) == doctest::Approx(routed * (d + 1) + neurons(10 * m)));
  CHECK(made("random")->activated_parameters(10) ==
        doctest::Approx(routed * (d + 1) + neurons(10 * m) + 14 * d));
  CHECK(made("ladimo-plain")->activated_parameters(10) == doctest::Approx(routed * d + neurons(10 * m)));
  // CMoE has 6 shared slices and 18 experts; the representatives of skipped experts are computed, too.
  CHECK(made("cmoe")->activated_parameters(10) == doctest::Approx(neurons(16 * m) + 8 * 2 * d));
  CHECK(made("oracle")->activated_parameters(10) == doctest::Approx(neurons(16 * m) + 8 * d));
  const auto kept = dynamic_cast<const DenseFfn&>(*made("static")).gate.size(0);
  CHECK(made("static")->activated_parameters(0) == neurons(static_cast<double>(kept)) + d);
}

TEST_CASE("with all experts on, opponents that only split the FFN equal the FFN") {
  for (const bool biases : {false, true}) {
    const Example example(biases);
    for (const char* name : {"random", "moefication", "cmoe", "expertweaver", "oracle"}) {
      INFO(name);
      CHECK(relative_difference(example.make(name, 2)->forward(inputs(example.rows)).y,
                                outputs(example.rows)) < 1e-5);
    }
  }
}

TEST_CASE("static keeps the neurons of highest variance and adds the mean output of the others") {
  const Example example;
  const auto made = example.make("static", 0.6);
  const auto kept = dynamic_cast<const DenseFfn&>(*made).gate.size(0);
  const auto h = example.ffn->hidden(inputs(example.rows.train()));
  const auto score = h.var(0) * example.ffn->down.square().sum(0);
  const auto strongest = std::get<1>(score.topk(kept));
  const auto on = at::zeros({f}).scatter(0, strongest, 1.0);
  const auto expected =
      at::mm(example.ffn->hidden(inputs(example.rows)) * on + h.mean(0) * (1 - on), example.ffn->down.t());
  CHECK(relative_difference(made->forward(inputs(example.rows)).y, expected) < 1e-4);
}

TEST_CASE("the refit improves static pruning, and the oracle beats the router of a random split") {
  const Example example;
  for (const double target : {0.8, 0.55, 0.3}) {
    INFO(target);
    CHECK(example.error(*example.make("static-refit", target)) <
          example.error(*example.make("static", target)));
    CHECK(example.error(*example.make("oracle", target)) < example.error(*example.make("random", target)));
  }
}

TEST_CASE("expertweaver routes by the mean gate rows, and shares more where more neurons are universal") {
  const Example example;
  const auto used = [&](const FeedForward& made) { return made.shape(); };
  const auto shape = used(*example.make("expertweaver", 0.7));
  CHECK(shape.router_parameters == static_cast<double>(shape.routed) * d);
  CHECK(shape.shared_neurons >= f / 5);
  CHECK(shape.shared_neurons <= 7 * f / 10 + 4);
  // Gate and up rows of half of the neurons are so small that the other half is marked by every token.
  auto universal = example;
  universal.ffn = std::make_shared<DenseFfn>(*example.ffn);
  const auto half = at::ones({f, 1}).narrow(0, 0, f);
  half.slice(0, f / 2).fill_(1e-3);
  universal.ffn->up = universal.ffn->up * half;
  universal.recipe.stage1.activation_share = 0.5;
  CHECK(used(*universal.make("expertweaver", 0.8)).shared_neurons == doctest::Approx(f / 2).epsilon(0.1));
}

TEST_CASE("expertweaver keeps one expert to be routed, however many neurons are universal") {
  auto example = Example();
  example.recipe.experts = 1;
  example.recipe.shared = 0;
  example.recipe.stage1.activation_share = 0.97;
  CHECK(example.make("expertweaver", 0.9)->shape().routed == 1);
}

TEST_CASE("a learned mask keeps as many neurons as asked and beats static pruning, with the same bits") {
  const TemporaryFolder folder;
  write_pico_model(folder.path());
  const auto source = open_weights(folder.path());
  Recipe recipe;
  recipe.layers = {0, 1};
  recipe.compute = "fp32";
  recipe.finish.batch = 128;
  const auto calibration = random_windows(60, 9);
  const auto learned = learn_kept_neurons(source, recipe, calibration, {0.7, 0.4}, {});
  REQUIRE(learned.size() == 2);
  const auto ffn = source.dense_ffn(0);
  for (std::size_t t = 0; t < learned.size(); ++t) {
    const double share = t == 0 ? 0.7 : 0.4;
    const auto kept = learned[t][0].numel() + learned[t][1].numel();
    CHECK(std::abs(static_cast<double>(kept) - 2 * neurons_within(*ffn, share)) <= 1);
  }
  // Every layer keeps a neuron.
  const auto few = learn_kept_neurons(source, recipe, calibration, {0.05}, {});
  CHECK(few[0][0].numel() >= 1);
  CHECK(few[0][1].numel() >= 1);
  CHECK(few[0][0].numel() + few[0][1].numel() ==
        std::max<std::int64_t>(2, static_cast<std::int64_t>(2 * neurons_within(*ffn, 0.05))));
  const auto again = learn_kept_neurons(source, recipe, calibration, {0.7, 0.4}, {});
  CHECK(at::equal(learned[1][0], again[1][0]));
  CHECK(at::equal(learned[1][1], again[1][1]));

  // Compared with as many arbitrary neurons, both without the means of the others.
  const auto kl = [&](const KeptNeurons& kept) {
    FeedForwards ffns;
    for (const int layer : recipe.layers) {
      auto pruned = std::make_shared<DenseFfn>(*source.dense_ffn(layer));
      const auto mask =
          at::zeros({pruned->gate.size(0)}).index_fill_(0, kept[static_cast<std::size_t>(layer)], 1);
      pruned->down = pruned->down * mask;
      ffns.push_back(pruned);
    }
    Branches models;
    models.first_layer = {0};
    models.layers = [&](int layer) {
      return std::vector<BranchLayer>{{ffns[static_cast<std::size_t>(layer)], 0, 0}};
    };
    return summarise(score(source, models, random_windows(40, 77), {}), 0).kl;
  };
  const KeptNeurons arbitrary = {at::arange(learned[1][0].numel()), at::arange(learned[1][1].numel())};
  CHECK(kl(learned[1]) < kl(arbitrary));
}

TEST_CASE("distillation improves the plain mixture, and the same seed gives the same weights") {
  const Example example;
  const auto trained = example.make("ladimo-plain", 0.7);
  auto untrained = example;
  untrained.recipe.stage1.learning_rate = 1e-12;
  CHECK(example.error(*trained) < 0.9 * example.error(*untrained.make("ladimo-plain", 0.7)));
  const auto again = example.make("ladimo-plain", 0.7);
  CHECK(at::equal(trained->forward(inputs(example.rows)).y, again->forward(inputs(example.rows)).y));
}

TEST_CASE("k is spread over the layers, with one expert more in the first layers") {
  const Example example;
  std::vector<int> chosen;
  MoeShape shape;  // 100 parameters without experts, and 30 for each of 24 experts
  shape.hidden_size = 10;
  shape.routed = 24;
  shape.expert_neurons = 1;
  shape.router_parameters = 100;
  const double dense = example.task().dense_parameters();
  for (int layer = 0; layer < layers; ++layer)
    chosen.push_back(spread_k(example.task(layer), (100 + 30 * 7.5) / dense, shape));
  CHECK(chosen == std::vector<int>{8, 8, 7, 7});
  CHECK(spread_k(example.task(0), 0, shape) == 0);
  CHECK(spread_k(example.task(0), 1, shape) == 24);
}

TEST_CASE("every opponent has its own name; an unknown name gives none") {
  for (const Baseline& baseline : baselines()) CHECK(find_baseline(baseline.name) == &baseline);
  CHECK(find_baseline("ladimo") == nullptr);
}
