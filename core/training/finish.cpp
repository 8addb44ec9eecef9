#include "training/finish.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <span>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/random.h"
#include "convert/adam.h"
#include "convert/compute_dtype.h"
#include "stream/window_order.h"
#include "training/dense_target.h"
#include "training/elastic_student.h"
#include "training/finish_judge.h"
#include "training/finish_slider.h"
#include "training/student_optimiser.h"

namespace ladimo {
namespace {

// Shares of the step's time: the prices of the slider are known, and training begins.
constexpr double priced_until = 0.1, trained_from = 0.13;
constexpr double least_kl = 1e-3;  // nats; positions with a smaller KL need no more weight
constexpr double most_gain = 0.1;  // share of its loss that one step may promise to remove

/// The layers that training starts from.
ConvertedLayers first_layers(const WeightSource& source, const FinishSlider& slider, const Recipe& recipe) {
  ConvertedLayers layers(static_cast<std::size_t>(source.config().layers));
  for (const int l : recipe.layers) layers[static_cast<std::size_t>(l)] = slider.first_layer(l);
  return layers;
}

/// Layers as they will be read back from their files.
class StoredLayers {
 public:
  StoredLayers(ConvertedLayers layers, at::ScalarType storage) : layers_(std::move(layers)) {
    for (auto& weights : layers_)
      if (weights) *weights = weights->rounded(storage);
  }

  MoeLayers provider() const {
    const auto of = [this](int l) -> const MoeWeights& { return *layers_[static_cast<std::size_t>(l)]; };
    return {[of](int l) { return std::make_shared<const MoeWeights>(of(l)); },
            [of](int l) { return of(l).shape(); }};
  }
  std::map<int, MoeWeights> by_layer() const {
    std::map<int, MoeWeights> result;
    for (std::size_t l = 0; l < layers_.size(); ++l)
      if (layers_[l]) result.emplace(static_cast<int>(l), *layers_[l]);
    return result;
  }

 private:
  ConvertedLayers layers_;
};

class Training {
 public:
  Training(const WeightSource& source, ConvertedLayers layers, const Recipe& recipe,
           const Windows& calibration, const FinishSlider& slider, const Context& context)
      : source_(source),
        settings_(recipe.finish),
        slider_(slider),
        context_(context),
        random_(recipe.seed, "finish"),
        windows_(WindowOrder(calibration.count(), recipe.stage1.validation_share).fitted(calibration)),
        student_(source, 0, std::move(layers), recipe.finish.slope, compute_dtype(recipe)),
        optimiser_(student_, recipe.finish.learning_rate),
        teacher_(source, windows_, context) {}

  const ElasticStudent& student() const { return student_; }

  std::int64_t batches() const {
    return std::max<std::int64_t>(1, windows_.count() / (positions() * group_windows()));
  }

  StudentOptimiser& optimiser() { return optimiser_; }

  /// Reports to `progress` after every batch.
  void epoch(int index, Progress& progress) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(windows_.count()));
    std::iota(order.begin(), order.end(), 0);
    random_.shuffle(order);
    const auto batch = static_cast<std::size_t>(positions() * group_windows());
    const double steps = static_cast<double>(batches()) * settings_.epochs;
    for (std::int64_t b = 0; b < batches(); ++b) {
      const auto left = std::span<const std::int64_t>(order).subspan(static_cast<std::size_t>(b) * batch);
      step(left.first(std::min(batch, left.size())),
           scheduled(static_cast<double>(index * batches() + b + 1) / steps));
      progress.advance();
    }
  }

 private:
  /// Of the slider in every batch: fewer than there are stretches where windows are long, because a step for
  /// every window or two is worth more than steps that have seen all stretches.
  std::int64_t positions() const {
    return std::clamp<std::int64_t>(settings_.batch / windows_.window, 1, FinishSlider::stretches);
  }
  std::int64_t group_windows() const {
    return std::max<std::int64_t>(1, settings_.batch / (positions() * windows_.window));
  }

  /// One step of Adam on windows `pick`. Each position of the slider takes a part of them. They are computed
  /// one after the other, with all threads: gradients of all positions at once would take much memory.
  void step(std::span<const std::int64_t> pick, double schedule) {
    std::vector<at::Tensor> gradients(student_.parameters().size());
    double loss = 0;
    const auto parts = static_cast<std::size_t>(positions());
    for (std::size_t i = 0; i < parts; ++i) {
      const auto begin = i * pick.size() / parts, end = (i + 1) * pick.size() / parts;
      const Policy policy = slider_.draw(next_stretch_++ % FinishSlider::stretches, random_);
      if (begin < end)
        loss +=
            differentiate(pick.subspan(begin, end - begin), policy, gradients) / static_cast<double>(parts);
    }
    // The gradients are those of the sum over the positions.
    optimiser_.step(gradients, schedule, most_gain * static_cast<double>(parts) * loss);
    ++steps_;
    if (steps_ % 5 == 0) context_.emit(LossEvent{-1, steps_, loss, false});
  }

  /// Returns the mean KL of some windows, weighted by the inverse of the expected one, and adds its
  /// gradients. There are none where all layers are dense.
  double differentiate(std::span<const std::int64_t> windows, const Policy& policy,
                       std::vector<at::Tensor>& gradients) const {
    context_.check();
    at::AutoGradMode with_gradients(true);
    const auto ids = ids_of(picked_windows(windows_, windows), 0, std::ssize(windows));
    const auto pass = student_.forward(source_.embed(ids), policy.layers);
    if (!pass.h.requires_grad()) return 0;
    const double weight = 1 / std::max(policy.predicted.kl, least_kl);
    const auto [loss, gradient] = teacher_.kl_gradient(pass.h.detach(), windows, weight);
    pass.differentiate(gradient, gradients);
    return loss;
  }

  const WeightSource& source_;
  const Finish& settings_;
  const FinishSlider& slider_;
  const Context& context_;
  Random random_;
  Windows windows_;  // the training windows
  ElasticStudent student_;
  StudentOptimiser optimiser_;
  DenseTarget teacher_;
  int steps_ = 0, next_stretch_ = 0;
};

}  // namespace

Finished finish_end_to_end(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                           const Windows& calibration, at::ScalarType storage, const Context& context) {
  const FinishSlider slider(source, moe, recipe, calibration, storage, context.part(0, priced_until));
  const WindowOrder order(calibration.count(), recipe.stage1.validation_share);
  FinishJudge judge(source, order.judging(calibration), slider);
  judge.remember(moe, context.part(priced_until, trained_from));
  Training training(source, first_layers(source, slider, recipe), recipe, calibration, slider, context);
  Finished finished;
  double best = 0;
  for (int epoch = 0; epoch < recipe.finish.epochs; ++epoch) {
    const auto reached = [&](double epochs) {
      return trained_from + (1 - trained_from) * epochs / recipe.finish.epochs;
    };
    const Context training_context = context.part(reached(epoch), reached(epoch + 0.9));
    Progress progress(training_context, training.batches());
    training.epoch(epoch, progress);
    const StoredLayers now(training.student().layers(), storage);
    const double loss = judge(now.provider(), context.part(reached(epoch + 0.9), reached(epoch + 1)));
    if (!std::isfinite(loss)) {
      context.warn("The end-to-end finish diverged; what it reached before is kept.",
                   "A lower finish.learning_rate in the recipe helps.");
      break;
    }
    finished.held_out_losses.push_back(loss);
    context.emit(LossEvent{-1, epoch + 1, loss, true});
    if (loss >= best) {
      training.optimiser().go_back();
      training.optimiser().slow_down();
      continue;
    }
    best = loss;
    finished.layers = now.by_layer();
    training.optimiser().keep();
  }
  return finished;
}

}  // namespace ladimo
