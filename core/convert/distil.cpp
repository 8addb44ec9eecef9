#include "convert/distil.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>

#include "base/interpolation.h"
#include "convert/adam.h"
#include "convert/compute_dtype.h"
#include "convert/swiglu_training.h"
#include "model/routing_weights.h"

namespace ladimo {
namespace {

constexpr int threshold_steps = 101;  // routed activity 0, 0.01 ... 1

/// Interpolates the error at any activity from the errors at a few thresholds: piecewise linear in the
/// logarithm, constant outside. `levels` must rise.
double error_at(double level, const std::vector<double>& levels, const std::vector<double>& errors) {
  if (level <= levels.front()) return errors.front();
  if (level >= levels.back()) return errors.back();
  const auto i = line_at<double>(levels, level);
  const double share = (level - levels[i - 1]) / (levels[i] - levels[i - 1]);
  return std::exp((1 - share) * std::log(errors[i - 1]) + share * std::log(errors[i]));
}

/// What is trained, in the order of MoeGradients. The last one is absent where nothing replaces skipped
/// experts.
std::vector<at::Tensor*> trained(MoeWeights& weights) {
  std::vector<at::Tensor*> tensors{&weights.gate, &weights.up, &weights.down};
  if (weights.compensation.defined())
    tensors.push_back(&weights.compensation);
  else if (weights.down_bias.defined())
    tensors.push_back(&weights.down_bias);
  return tensors;
}

/// Draws an activity level at random for every token. Gives the tokens' thresholds and the inverse of the
/// error expected at each.
class RandomThresholds {
 public:
  /// Draws levels from 0 to 1, or only from `levels` where the result need not be elastic.
  RandomThresholds(const at::Tensor& routing_weights, const std::vector<double>& levels,
                   const std::vector<double>& errors, double variance, bool elastic) {
    std::vector<double> steps = levels;
    if (elastic) {
      steps.resize(threshold_steps);
      for (int i = 0; i < threshold_steps; ++i)
        steps[static_cast<std::size_t>(i)] = i / (threshold_steps - 1.0);
    }
    for (const double t : thresholds_at(routing_weights, steps)) thresholds_.push_back(static_cast<float>(t));
    for (const double level : steps)
      inverse_.push_back(
          static_cast<float>(1 / (variance * std::max(error_at(level, levels, errors), 1e-6))));
  }

  /// Returns the thresholds and the weights of `count` tokens in batches of `batch`: [count, 1] each.
  std::pair<at::Tensor, at::Tensor> draw(std::int64_t count, std::int64_t batch, Random& random,
                                         const at::TensorOptions& options) const {
    std::vector<float> threshold(static_cast<std::size_t>(count)), weight(threshold.size());
    for (std::size_t i = 0; i < threshold.size(); ++i) {
      const auto level = random.below(thresholds_.size());
      threshold[i] = thresholds_[level];
      weight[i] = inverse_[level] / static_cast<float>(batch);
    }
    const auto column = [&](const std::vector<float>& v) { return at::tensor(v).to(options).unsqueeze(1); };
    return {column(threshold), column(weight)};
  }

 private:
  std::vector<float> thresholds_, inverse_;
};

}  // namespace

std::pair<at::Tensor, MoeGradients> distillation_gradients(const MoeWeights& weights, const at::Tensor& x,
                                                           const at::Tensor& y, const at::Tensor& mask,
                                                           const at::Tensor& row_weight,
                                                           at::ScalarType compute) {
  const auto input = x.to(compute), down = weights.down.to(compute);
  auto g = at::mm(input, weights.gate.to(compute).t());
  auto u = at::mm(input, weights.up.to(compute).t());
  if (weights.gate_bias.defined()) g += weights.gate_bias, u += weights.up_bias;
  const RunningNeurons running{mask, weights.shared_neurons};
  const auto h = masked_swiglu(g, u, running);
  const auto off = 1 - mask;
  auto residual = at::mm(h, down).to(at::kFloat).sub_(y);
  if (weights.compensation.defined()) residual.addmm_(off, weights.compensation);
  if (weights.down_bias.defined()) residual += weights.down_bias;

  const auto weighted = residual * row_weight;
  auto loss = (weighted * residual).sum();
  const auto dy = weighted.mul(2), narrow = dy.to(compute);
  MoeGradients gradients;
  gradients.down = at::mm(h.t(), narrow).to(at::kFloat);
  gradients.offset = weights.compensation.defined() ? at::mm(off.t(), dy) : dy.sum(0);
  masked_swiglu_gradient(g, u, at::mm(narrow, down.t()), running);
  gradients.up = at::mm(u.t(), input).to(at::kFloat);
  gradients.gate = at::mm(g.t(), input).to(at::kFloat);
  return {std::move(loss), std::move(gradients)};
}

Distillation distil(MoeWeights weights, const LayerRows& rows, const at::Tensor& routing_weights,
                    const std::vector<double>& thresholds, double variance, const Recipe& recipe, int layer,
                    const std::function<void(const at::Tensor& rows)>& saw_rows, const Context& context) {
  const Stage1& settings = recipe.stage1;
  const auto compute = compute_dtype(recipe);
  Random random(recipe.seed, "distil", static_cast<std::uint64_t>(layer));
  const auto validation = rows.validation();
  const auto validation_weights = routing_weights.slice(0, rows.training());
  const auto held_out = [&](const MoeWeights& candidate) {
    return elastic_errors(candidate, validation, validation_weights, thresholds, variance, context);
  };
  const auto initial_errors = held_out(weights);
  Distillation result{std::move(weights), {mean_error(initial_errors)}};
  context.emit(LossEvent{layer, 0, result.held_out_losses.back(), true});
  const RandomThresholds sampler(routing_weights, settings.levels, initial_errors, variance,
                                 settings.elastic);

  MoeWeights student = result.weights;
  for (at::Tensor* tensor : trained(student)) *tensor = tensor->clone(at::MemoryFormat::Contiguous);
  std::vector<Adam> optimisers;
  for (at::Tensor* tensor : trained(student)) optimisers.emplace_back(*tensor);

  std::vector<std::int64_t> order(static_cast<std::size_t>(rows.training()));
  std::iota(order.begin(), order.end(), 0);
  const auto batch_rows = std::min<std::int64_t>(settings.batch, rows.training());
  const auto batches = std::max<std::int64_t>(1, rows.training() / settings.batch);
  const double steps = static_cast<double>(batches) * settings.epochs;
  Progress progress(context, batches * settings.epochs, layer, "distillation");
  int step = 0;
  double best = 1;  // relative to the errors before, averaged over the levels
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    random.shuffle(order);
    // Copied for the whole epoch: a GPU is waited for at every copy.
    const auto index = at::tensor(order).to(routing_weights.device());
    const auto [threshold, row_weight] =
        sampler.draw(batches * batch_rows, batch_rows, random, rows.options());
    for (std::int64_t batch = 0; batch < batches; ++batch) {
      const auto of_batch = [&, first = batch * batch_rows](const at::Tensor& all) {
        return all.slice(0, first, first + batch_rows);
      };
      const auto pick = of_batch(index);
      const auto routed = routing_weights.index_select(0, pick);
      if (epoch == 0) saw_rows(pick);
      const auto mask = (routed >= of_batch(threshold)).to(at::kFloat);
      const auto [loss, gradients] =
          distillation_gradients(student, rows.x(pick), rows.y(pick), mask, of_batch(row_weight), compute);
      const double rate = settings.learning_rate * scheduled(++step / steps);
      const std::array of_trained{gradients.gate, gradients.up, gradients.down, gradients.offset};
      for (std::size_t i = 0; i < optimisers.size(); ++i) optimisers[i].step(of_trained[i], rate);
      // The loss is relative to the errors before. It is reported in the unit of the held-out losses.
      if (step % 10 == 0)
        context.emit(LossEvent{layer, step, loss.item<double>() * mean_error(initial_errors), false});
      progress.advance();
    }
    const auto errors = held_out(student);
    if (!std::isfinite(mean_error(errors))) break;  // diverged
    result.held_out_losses.push_back(mean_error(errors));
    context.emit(LossEvent{layer, step, result.held_out_losses.back(), true});
    double relative = 0;
    for (std::size_t i = 0; i < errors.size(); ++i) relative += errors[i] / initial_errors[i];
    relative /= static_cast<double>(errors.size());
    if (settings.early_stopping && relative >= best) break;
    best = relative;
    result.weights = student;
    for (at::Tensor* tensor : trained(result.weights)) *tensor = tensor->clone();
  }
  return result;
}

}  // namespace ladimo
