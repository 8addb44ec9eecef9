#include "training/end_to_end.h"

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
#include "training/student_optimiser.h"

namespace ladimo {
namespace {

constexpr double least_kl = 1e-3;  // nats; positions with a smaller KL need no more weight
constexpr double most_gain = 0.1;  // share of its loss that one step may promise to remove

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
  Training(const WeightSource& source, const TrainingTask& task, const Recipe& recipe,
           const Windows& calibration, const Context& context)
      : source_(source),
        settings_(recipe.finish),
        task_(task),
        context_(context),
        random_(recipe.seed, "finish"),
        windows_(WindowOrder(calibration.count(), recipe.stage1.validation_share).fitted(calibration)),
        student_(source, 0, task.layers, recipe.finish.slope, compute_dtype(recipe)),
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
  /// How many policies are drawn for a batch: fewer than there are parts where windows are long, because a
  /// step for every window or two is worth more than steps that have seen all parts.
  std::int64_t positions() const {
    return std::clamp<std::int64_t>(settings_.batch / windows_.window, 1, task_.parts);
  }
  std::int64_t group_windows() const {
    return std::max<std::int64_t>(1, settings_.batch / (positions() * windows_.window));
  }

  /// One step of Adam on windows `pick`. Each policy takes some of them. They are computed
  /// one after the other, with all threads: gradients of all policies at once would take much memory.
  void step(std::span<const std::int64_t> pick, double schedule) {
    std::vector<at::Tensor> gradients(student_.parameters().size());
    double loss = 0;
    const auto parts = static_cast<std::size_t>(positions());
    for (std::size_t i = 0; i < parts; ++i) {
      const auto begin = i * pick.size() / parts, end = (i + 1) * pick.size() / parts;
      const Policy policy = task_.draw(next_part_++ % task_.parts, random_);
      if (begin < end)
        loss +=
            differentiate(pick.subspan(begin, end - begin), policy, gradients) / static_cast<double>(parts);
    }
    // The gradients are those of the sum over the policies.
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
  const TrainingTask& task_;
  const Context& context_;
  Random random_;
  Windows windows_;  // the training windows
  ElasticStudent student_;
  StudentOptimiser optimiser_;
  DenseTarget teacher_;
  int steps_ = 0, next_part_ = 0;
};

}  // namespace

Trained train_end_to_end(const WeightSource& source, TrainingTask task, const Recipe& recipe,
                         const Windows& calibration, at::ScalarType storage, const Context& context) {
  Training training(source, task, recipe, calibration, context);
  task.layers.clear();  // the student has its own
  Trained trained;
  double best = 0;
  for (int epoch = 0; epoch < recipe.finish.epochs; ++epoch) {
    constexpr double trained_until = 0.9;  // share of an epoch's time
    const auto reached = [&](double epochs) { return epochs / recipe.finish.epochs; };
    const Context training_context = context.part(reached(epoch), reached(epoch + trained_until));
    Progress progress(training_context, training.batches());
    training.epoch(epoch, progress);
    const StoredLayers now(training.student().layers(), storage);
    const double loss =
        task.judge(now.provider(), context.part(reached(epoch + trained_until), reached(epoch + 1)));
    if (!std::isfinite(loss)) {
      context.warn("The end-to-end finish diverged; what it reached before is kept.", task.hint);
      break;
    }
    trained.held_out_losses.push_back(loss);
    context.emit(LossEvent{-1, epoch + 1, loss, true});
    if (loss >= best) {
      training.optimiser().go_back();
      training.optimiser().slow_down();
      continue;
    }
    best = loss;
    trained.layers = now.by_layer();
    training.optimiser().keep();
  }
  return trained;
}

}  // namespace ladimo
