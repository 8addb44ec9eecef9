// Checks stage 1 against its definitions: exactness, balance, closed forms, gradients.
#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "convert/cholesky.h"
#include "convert/compensation_choice.h"
#include "convert/contributions.h"
#include "convert/distil.h"
#include "convert/layer_conversion.h"
#include "convert/partition.h"
#include "convert/refit.h"
#include "convert/router_fit.h"
#include "model/routing_weights.h"
#include "support/tensors.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;

namespace {

constexpr std::int64_t d = 24, f = 80, tokens = 600;

LayerRows rows_of(const DenseFfn& ffn, std::uint64_t seed) {
  // Inputs with a few strong directions, so that neurons co-activate in groups as they do in trained models.
  const auto x = at::mm(random_tensor({tokens, 6}, seed), random_tensor({6, d}, seed + 1)) +
                 random_tensor({tokens, d}, seed + 2, 0.3);
  return {x, ffn.forward(x).y, tokens * 9 / 10};
}

Recipe recipe_of(int experts, int shared) {
  Recipe recipe;
  recipe.experts = experts;
  recipe.shared = shared;
  recipe.stage1.feature_tokens = 256;
  recipe.stage1.activation_share = 0.1;
  recipe.stage1.batch = 64;
  return recipe;
}

struct Fitted {
  std::shared_ptr<DenseFfn> ffn = random_ffn(d, f, 1);
  LayerRows rows = rows_of(*ffn, 5);
  Recipe recipe = recipe_of(10, 2);
  HiddenStatistics statistics = measure_hidden(*ffn, rows, {});
  Partition partition = partition_neurons(*ffn, statistics, rows, recipe, Random(0), {});
  MoeWeights weights = slice_ffn(*ffn, partition);
};

}  // namespace

TEST_CASE("a partition is a permutation of the neurons into equal experts; the strongest are shared") {
  const Fitted fitted;
  auto sorted = fitted.partition.permutation;
  std::sort(sorted.begin(), sorted.end());
  REQUIRE(sorted.size() == f);
  for (std::int64_t j = 0; j < f; ++j) CHECK(sorted[static_cast<std::size_t>(j)] == j);
  CHECK(fitted.partition.shared_neurons == 16);
  CHECK(fitted.partition.expert_neurons == 8);
  const auto energy = fitted.statistics.energy();
  const auto order = at::tensor(fitted.partition.permutation);
  CHECK(energy.index_select(0, order.slice(0, 0, 16)).min().item<float>() >=
        energy.index_select(0, order.slice(0, 16)).max().item<float>());
  const auto owners = fitted.partition.owners();
  CHECK(std::count(owners.begin(), owners.end(), -1) == 16);
  for (int expert = 0; expert < 8; ++expert) CHECK(std::count(owners.begin(), owners.end(), expert) == 8);
}

TEST_CASE("if the slices do not divide the neurons, the shared set gets the remainder") {
  const auto ffn = random_ffn(d, 86, 1);
  const auto rows = rows_of(*ffn, 5);
  const auto partition =
      partition_neurons(*ffn, measure_hidden(*ffn, rows, {}), rows, recipe_of(10, 2), Random(0), {});
  CHECK(partition.expert_neurons == 8);
  CHECK(partition.shared_neurons == 22);
  CHECK(partition.permutation.size() == 86);
}

TEST_CASE("balanced k-means finds existing groups") {
  const int clusters = 6, per = 7;
  const auto centres = random_tensor({clusters, 12}, 3, 4);
  const auto points = centres.repeat_interleave(per, 0) + random_tensor({clusters * per, 12}, 4, 0.2);
  const auto owner = balanced_kmeans(points, clusters, Random(1), {});
  for (int c = 0; c < clusters; ++c) {
    CHECK(std::count(owner.begin(), owner.end(), owner[static_cast<std::size_t>(c * per)]) == per);
    for (int i = 1; i < per; ++i)
      CHECK(owner[static_cast<std::size_t>(c * per + i)] == owner[static_cast<std::size_t>(c * per)]);
  }
}

TEST_CASE("balanced k-means leaves no two points whose exchange would bring them nearer to their centres") {
  const int clusters = 6, count = 48;
  const auto points = random_tensor({count, 5}, 7);
  const auto owner = at::tensor(balanced_kmeans(points, clusters, Random(1), {})).to(at::kLong);
  std::vector<at::Tensor> centres;
  for (std::int64_t c = 0; c < clusters; ++c)
    centres.push_back(points.index_select(0, (owner == c).nonzero().flatten()).mean(0));
  const auto distances = at::cdist(points, at::stack(centres)).square();  // [points, clusters]
  const auto to = distances.index_select(1, owner);  // from point i to the centre of point j
  const auto own = to.diagonal();
  CHECK((to + to.t() - own.unsqueeze(0) - own.unsqueeze(1)).min().item<double>() > -1e-4);
}

TEST_CASE("before refit and distillation, a layer with all experts on equals the dense FFN") {
  for (const bool biases : {false, true}) {
    const auto ffn = random_ffn(d, f, 1, biases);
    const auto rows = rows_of(*ffn, 5);
    const auto partition =
        partition_neurons(*ffn, measure_hidden(*ffn, rows, {}), rows, recipe_of(10, 2), Random(0), {});
    const auto weights = slice_ffn(*ffn, partition);
    const auto all_on = at::ones({tokens, weights.routed()});
    CHECK(relative_difference(weights.combine(weights.hidden(inputs(rows)), all_on), outputs(rows)) < 1e-5);
  }
}

TEST_CASE("contribution norms are the norms of the experts' centred outputs") {
  const Fitted fitted;
  const auto& w = fitted.weights;
  const auto h = w.hidden(inputs(fitted.rows));
  const auto norms = ContributionNorms(w, fitted.statistics)(h);
  for (std::int64_t e = 0; e < w.routed(); ++e) {
    const auto first = w.shared_neurons + e * w.expert_neurons();
    const auto output = at::mm(h.narrow(1, first, 8), w.down.narrow(0, first, 8));
    const auto expected = (output - output.mean(0)).norm(2, 1) / fitted.statistics.output_norm;
    CHECK(max_difference(norms.select(1, e), expected) < 1e-4);
  }
}

TEST_CASE("the router is the ridge solution: its residual is orthogonal to the inputs up to the ridge") {
  const Fitted fitted;
  const auto fit =
      fit_router(fitted.rows, contribution_targets(fitted.weights, fitted.statistics, true, fitted.rows, {}),
                 1e-6, true, {});
  const auto train = fitted.rows.train();
  const auto targets =
      ContributionNorms(fitted.weights, fitted.statistics)(fitted.weights.hidden(inputs(train)));
  const auto residual = targets - at::addmm(fit.bias, inputs(train), fit.weight.t());
  CHECK(at::mm(inputs(train).t(), residual).abs().max().item<double>() / static_cast<double>(tokens) < 1e-3);
  CHECK(residual.mean(0).abs().max().item<double>() < 1e-4);
  CHECK(fit.r2 < 1);
  const auto some = random_tensor({50, 4}, 3);
  CHECK(explained(some, some) == 1);
  CHECK(explained(some.mean(0).expand_as(some), some) == doctest::Approx(0).epsilon(1e-6));
}

TEST_CASE("a router with hidden units predicts what a linear one cannot") {
  const auto x = random_tensor({4000, 6}, 1);
  const auto targets = at::cat({x.slice(1, 0, 2).abs(), x.slice(1, 2, 3)}, 1);  // |x0|, |x1|, x2
  const LayerRows rows(x, x, 3600);
  const auto fit = fit_hidden_router(rows, targets, 12, 1e-6, Random(1), {});
  CHECK(fit.hidden.sizes() == at::IntArrayRef({12, 6}));
  CHECK(fit.weight.sizes() == at::IntArrayRef({3, 12}));
  CHECK(fit.r2 > 0.9);  // a linear router reaches about a half
  const auto again = fit_hidden_router(rows, targets, 12, 1e-6, Random(1), {});
  CHECK(at::equal(fit.hidden, again.hidden));
}

TEST_CASE("the router is chosen by its gain and its cost") {
  const Fitted fitted;
  auto settings = fitted.recipe.stage1;
  settings.router_ranks.clear();
  const auto choose = [&] {
    return choose_router(fitted.weights, fitted.statistics, fitted.rows, settings, Random(3), {});
  };
  CHECK_FALSE(choose().hidden.defined());
  settings.router_ranks = {2000};  // a router of 2000 hidden units costs as much as many experts
  CHECK_FALSE(choose().hidden.defined());
  const auto linear = choose().in(fitted.weights);
  CHECK(linear.shape().router_parameters == 8 * d + 8);
}

TEST_CASE("a small router is chosen where a linear one predicts nothing, in whatever order ranks are given") {
  // An expert's contribution is |direction . x|: its neurons share the direction and are gated open.
  const std::int64_t experts = 6, each = 8, shared = 8, neurons = shared + experts * each;
  const auto directions = random_tensor({experts, d}, 11).repeat_interleave(each, 0);
  DenseFfn ffn;
  ffn.gate = at::zeros({neurons, d});
  ffn.gate_bias = at::full({neurons}, 4.0);
  ffn.up =
      at::cat({random_tensor({shared, d}, 12), directions + random_tensor({experts * each, d}, 13, 0.05)});
  ffn.up_bias = at::zeros({neurons});
  ffn.down = random_tensor({d, neurons}, 14);
  ffn.down_bias = at::zeros({d});
  const auto x = random_tensor({2000, d}, 15);
  const LayerRows rows(x, ffn.forward(x).y, 1800);
  const auto statistics = measure_hidden(ffn, rows, {});
  Partition partition;
  for (int j = 0; j < neurons; ++j) partition.permutation.push_back(j);
  partition.shared_neurons = shared;
  partition.expert_neurons = each;
  const auto weights = slice_ffn(ffn, partition);
  auto settings = recipe_of(7, 1).stage1;
  const auto chosen = [&](std::vector<int> ranks) {
    settings.router_ranks = std::move(ranks);
    return choose_router(weights, statistics, rows, settings, Random(3), {});
  };
  const auto router = chosen({16, 4});
  REQUIRE(router.hidden.defined());
  CHECK(router.hidden.size(0) == 16);  // each |.| needs two hidden units, so four are too few
  CHECK(router.in(weights).shape().router_parameters == 16 * d + 16 + experts * 16 + experts);
  for (const auto& ranks : {std::vector{4, 16}, {4, 16, 16}, {16}})
    CHECK(at::equal(chosen(ranks).hidden, router.hidden));
  CHECK(chosen({4, 2000}).hidden.size(0) == 4);  // 2000 hidden units cost more than all experts
}

TEST_CASE("with energy order and co-activation off, shared neurons and experts are random") {
  const Fitted fitted;
  auto recipe = fitted.recipe;
  recipe.stage1.energy_order = false;
  recipe.stage1.coactivation = false;
  const auto partition =
      partition_neurons(*fitted.ffn, fitted.statistics, fitted.rows, recipe, Random(0), {});
  auto sorted = partition.permutation;
  CHECK(sorted != fitted.partition.permutation);
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t j = 0; j < f; ++j) CHECK(sorted[static_cast<std::size_t>(j)] == j);
  const auto owners = partition.owners();
  for (int expert = -1; expert < 8; ++expert)
    CHECK(std::count(owners.begin(), owners.end(), expert) == (expert < 0 ? 16 : 8));
}

TEST_CASE("thresholds leave the given share of experts on") {
  const auto weights = random_tensor({4000, 12}, 7);
  const std::vector<double> levels = {0.1, 0.5, 0.9};
  const auto thresholds = thresholds_at(weights, levels);
  for (std::size_t i = 0; i < levels.size(); ++i)
    CHECK((weights >= thresholds[i]).to(at::kFloat).mean().item<double>() ==
          doctest::Approx(levels[i]).epsilon(0.01));
}

TEST_CASE("compensation is the mean output of an expert while it is skipped") {
  const Fitted fitted;
  const auto& w = fitted.weights;
  const auto routing_weights = random_tensor({tokens, w.routed()}, 9);
  const auto b = conditional_compensation(w, fitted.rows, routing_weights, {0.3}, {});
  const auto h = w.hidden(inputs(fitted.rows));
  for (std::int64_t e = 0; e < w.routed(); ++e) {
    const auto first = w.shared_neurons + e * w.expert_neurons();
    const auto output = at::mm(h.narrow(1, first, 8), w.down.narrow(0, first, 8));
    const auto skipped = (routing_weights.select(1, e) < 0.3).nonzero().flatten();
    CHECK(max_difference(b[e], output.index_select(0, skipped).mean(0)) < 1e-4);
  }
  // For an expert that is never skipped the compensation is its mean output.
  const auto never = conditional_compensation(w, fitted.rows, routing_weights, {-1e9}, {});
  CHECK(max_difference(never[0], at::mm(h.narrow(1, 16, 8), w.down.narrow(0, 16, 8)).mean(0)) < 1e-4);
}

TEST_CASE(
    "refit lowers the training error at every threshold; the outputs' mean error vanishes without ridge") {
  const Fitted fitted;
  auto w = fitted.weights;
  const auto router = fit_router(
      fitted.rows, contribution_targets(w, fitted.statistics, true, fitted.rows, {}), 1e-3, true, {});
  w.router = router.weight;
  w.router_bias = router.bias;
  const auto routing_weights = w.route(inputs(fitted.rows));
  const auto thresholds = thresholds_at(routing_weights, {0.2, 0.5, 0.8});
  w.compensation = conditional_compensation(w, fitted.rows, routing_weights, thresholds, {});
  const double variance = fitted.statistics.output_variance;
  const auto before = elastic_errors(w, fitted.rows, routing_weights, thresholds, variance, {});
  const auto refitted = refit(w, fitted.rows, routing_weights, thresholds, before, 1e-2, {});
  const auto after = elastic_errors(refitted, fitted.rows, routing_weights, thresholds, variance, {});
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i] < before[i]);
  // A huge ridge keeps the original weights.
  CHECK(max_difference(refit(w, fitted.rows, routing_weights, thresholds, before, 1e9, {}).down, w.down) <
        1e-4);
}

TEST_CASE("compensation is a vector per expert where that is worth its parameters, else one bias") {
  const Fitted fitted;
  auto w = fitted.weights;
  const auto router = fit_router(
      fitted.rows, contribution_targets(w, fitted.statistics, true, fitted.rows, {}), 1e-3, true, {});
  w.router = router.weight;
  w.router_bias = router.bias;
  const double variance = fitted.statistics.output_variance;
  Stage1 settings;
  const auto compensated = [&](const MoeWeights& weights, const LayerRows& rows) {
    const auto routing_weights = weights.route(inputs(rows));
    const auto thresholds = thresholds_at(routing_weights.slice(0, 0, rows.training()), settings.levels);
    return with_compensation(weights, rows, thresholds, variance, settings, {});
  };
  auto rows = fitted.rows;
  settings.compensation = false;
  const auto with_bias = compensated(w, rows);
  CHECK_FALSE(with_bias.compensation.defined());
  const auto routing_weights = w.route(inputs(rows));
  const auto threshold = thresholds_at(routing_weights, {0.5});
  const auto error = [&](const MoeWeights& weights) {
    return elastic_errors(weights, rows, routing_weights, threshold, variance, {}).front();
  };
  CHECK(error(with_bias) < error(w));  // w itself adds nothing for skipped experts

  // If the output of an expert is constant, a vector per expert compensates exactly and one bias does not.
  settings.compensation = true;
  settings.refit = false;
  auto constant = w;
  const auto routed = [&](const at::Tensor& t) { return t.slice(0, w.shared_neurons); };
  for (at::Tensor* t : {&constant.gate, &constant.up}) {
    *t = t->clone();
    routed(*t).zero_();
  }
  constant.gate_bias = at::zeros({w.neurons()});
  constant.up_bias = at::zeros({w.neurons()});
  routed(constant.gate_bias).fill_(3);
  routed(constant.up_bias).fill_(3);
  const auto imitating = [x = inputs(rows), training = rows.training()](const MoeWeights& weights) {
    return LayerRows(x, weights.combine(weights.hidden(x), at::ones({x.size(0), weights.routed()})),
                     training);
  };
  rows = imitating(constant);
  CHECK(compensated(constant, rows).compensation.defined());
  // If skipped experts put out zero, no vector is worth its parameters.
  routed(constant.up_bias).zero_();
  rows = imitating(constant);
  CHECK_FALSE(compensated(constant, rows).compensation.defined());
}

TEST_CASE("the gradients written by hand equal those of autograd") {
  for (const auto& [biases, compensated] :
       {std::pair(false, true), std::pair(true, true), std::pair(true, false)}) {
    const auto ffn = random_ffn(d, f, 1, biases);
    auto moe = random_moe(*ffn, 8, 16, 2);
    if (!compensated) moe.compensation = at::Tensor();
    const auto x = random_tensor({40, d}, 3), y = random_tensor({40, d}, 4);
    const auto mask = (random_tensor({40, 8}, 5) > 0).to(at::kFloat);
    const auto row_weight = random_tensor({40, 1}, 6).abs();
    const auto [loss, gradients] = distillation_gradients(moe, x, y, mask, row_weight, at::kFloat);

    at::AutoGradMode with_gradients(true);
    auto w = moe;
    at::Tensor& offset = compensated ? w.compensation : w.down_bias;
    for (at::Tensor* t : {&w.gate, &w.up, &w.down, &offset}) *t = t->detach().clone().set_requires_grad(true);
    const auto h = at::silu(at::linear(x, w.gate, w.gate_bias)) * at::linear(x, w.up, w.up_bias);
    const auto full = at::cat({at::ones({40, 16}), mask.repeat_interleave(8, 1)}, 1);
    auto out = at::mm(h * full, w.down);
    if (compensated) out = out + at::mm(1 - mask, w.compensation);
    if (biases) out = out + w.down_bias;
    const auto expected = ((out - y).square() * row_weight).sum();
    const auto reference = torch::autograd::grad({expected}, {w.gate, w.up, w.down, offset});
    CHECK(loss.item<double>() == doctest::Approx(expected.item<double>()).epsilon(1e-5));
    CHECK(relative_difference(gradients.gate, reference[0]) < 1e-4);
    CHECK(relative_difference(gradients.up, reference[1]) < 1e-4);
    CHECK(relative_difference(gradients.down, reference[2]) < 1e-4);
    CHECK(relative_difference(gradients.offset, reference[3]) < 1e-4);
    const auto narrow = distillation_gradients(moe, x, y, mask, row_weight, at::kBFloat16).second;
    CHECK(relative_difference(narrow.gate, gradients.gate) < 0.02);
    CHECK(relative_difference(narrow.up, gradients.up) < 0.02);
    CHECK(relative_difference(narrow.down, gradients.down) < 0.02);
  }
}

TEST_CASE("normal equations are solved in place, and degenerate ones are refused") {
  const auto wide = random_tensor({64, 20}, 1).to(at::kDouble);
  const auto gram = at::mm(wide.t(), wide);
  const auto moment = random_tensor({20, 3}, 2);  // row-major fp32
  const auto expected = at::linalg_solve(gram, moment.to(at::kDouble));
  auto given = gram.clone();
  CHECK(relative_difference(solve_spd(given, moment), expected) < 1e-10);
  CHECK(at::allclose(at::mm(given.t(), given), gram));  // the factor has replaced the matrix
  CHECK_THROWS_AS(solve_spd(at::zeros({4, 4}, at::kDouble), at::ones({4, 1}, at::kDouble)), Error);
}

TEST_CASE("each step of stage 1 lowers the held-back loss, and the same seed gives the same bits") {
  const Fitted fitted;
  const auto first = convert_layer(fitted.ffn, fitted.rows, fitted.recipe, 3, at::kFloat, {});
  CHECK(first.record.layer == 3);
  CHECK(first.record.loss_refit <= first.record.loss_before);
  CHECK(first.record.loss_after <= first.record.loss_refit);
  CHECK(first.record.loss_after < first.record.loss_before);
  const auto second = convert_layer(fitted.ffn, fitted.rows, fitted.recipe, 3, at::kFloat, {});
  CHECK(at::equal(first.weights.gate, second.weights.gate));
  CHECK(at::equal(first.weights.down_bias, second.weights.down_bias));
  CHECK(at::equal(first.weights.router, second.weights.router));
}

TEST_CASE("distillation that does not help leaves the weights unchanged") {
  const Fitted fitted;
  auto recipe = fitted.recipe;
  recipe.stage1.learning_rate = 30;  // diverges
  recipe.stage1.refit = false;
  const auto diverged = convert_layer(fitted.ffn, fitted.rows, recipe, 0, at::kFloat, {});
  recipe.stage1.distil = false;
  const auto untouched = convert_layer(fitted.ffn, fitted.rows, recipe, 0, at::kFloat, {});
  CHECK(at::equal(diverged.weights.gate, untouched.weights.gate));
  CHECK(diverged.record.loss_after == untouched.record.loss_after);
}

TEST_CASE("without early stopping the last epoch is kept") {
  const Fitted fitted;
  auto recipe = fitted.recipe;
  recipe.stage1.learning_rate = 1;  // makes it worse
  const auto stopped = convert_layer(fitted.ffn, fitted.rows, recipe, 0, at::kFloat, {});
  CHECK(stopped.record.loss_after <= stopped.record.loss_refit);
  recipe.stage1.early_stopping = false;
  const auto last = convert_layer(fitted.ffn, fitted.rows, recipe, 0, at::kFloat, {});
  CHECK(last.record.loss_after > stopped.record.loss_after);
  CHECK(last.record.held_out_losses.size() == 1 + static_cast<std::size_t>(recipe.stage1.epochs));
}

TEST_CASE("an FFN that is silent or nearly silent on the text converts to finite weights") {
  const auto silent_by = [](const std::string& cause) {
    auto ffn = random_ffn(d, f, 1);
    if (cause == "tiny up") ffn->up = ffn->up * 1e-30;
    if (cause == "tiny down") ffn->down = ffn->down * 1e-30;
    if (cause == "zero up") ffn->up = at::zeros_like(ffn->up);
    if (cause == "half of the neurons zero") {
      ffn->up = ffn->up.clone();
      ffn->up.slice(0, 0, f / 2).zero_();
    }
    if (cause == "one neuron left") {
      ffn->gate = ffn->gate.clone();
      ffn->gate.slice(0, 1).zero_();
    }
    return ffn;
  };
  for (const std::string what : {"tiny up", "tiny down", "zero up", "half of the neurons zero",
                                 "one neuron left", "tiny inputs", "zero inputs", "one input for ever"}) {
    CAPTURE(what);
    const auto ffn = silent_by(what);
    auto x = rows_of(*ffn, 5).train().x(0, tokens * 9 / 10);
    if (what == "tiny inputs") x = x * 1e-20;
    if (what == "zero inputs") x = at::zeros_like(x);
    if (what == "one input for ever") x = x.slice(0, 0, 1).repeat({x.size(0), 1});
    const LayerRows rows(x, ffn->forward(x).y, x.size(0) * 9 / 10);
    const auto converted = convert_layer(ffn, rows, recipe_of(10, 2), 0, at::kFloat, {});
    CHECK(std::isfinite(converted.record.loss_after));
    const auto& weights = converted.weights;
    for (const auto& [name, tensor] : {std::pair{"gate", weights.gate},
                                       {"up", weights.up},
                                       {"down", weights.down},
                                       {"router", weights.router},
                                       {"router bias", weights.router_bias}}) {
      CAPTURE(std::string(name));
      CHECK(at::isfinite(tensor).all().item<bool>());
    }
  }
}
