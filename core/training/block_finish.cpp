#include "training/block_finish.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <span>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "base/random.h"
#include "convert/adam.h"
#include "convert/compute_dtype.h"
#include "stream/walk.h"
#include "stream/window_order.h"
#include "training/elastic_student.h"
#include "training/finish_slider.h"
#include "training/student_optimiser.h"

namespace ladimo {
namespace {

/// Layers first ... last - 1.
struct Block {
  std::int64_t first = 0, last = 0;

  std::int64_t layers() const { return last - first; }
};

/// Consecutive windows at the same position of the slider.
struct Group {
  std::int64_t begin = 0, end = 0;
  ModelPolicy policy;

  std::int64_t windows() const { return end - begin; }
  ModelPolicy within(const Block& block) const {
    return {policy.begin() + block.first, policy.begin() + block.last};
  }
};

/// How far the hidden states h [n, W, d] are from `target`.
struct Distance {
  at::Tensor weighted;  // [n, W, d] 2 (h - target) / |target|^2, 0 at position 0
  double error = 0;     // the sum over rows of |h - target|^2 / |target|^2

  /// What reads the stream divides by the norm of a row, so errors count relative to it. Position 0 is left
  /// out because its values may be far larger than all others.
  Distance(const at::Tensor& h, const at::Tensor& target) {
    const auto difference = h - target;
    weighted = 2 * difference / target.square().sum(-1, true).clamp_min(1e-12);
    weighted.select(1, 0).zero_();
    error = (weighted * difference).sum().item<double>() / 2;
  }
};

class BlockFinish {
 public:
  BlockFinish(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
              const FinishSlider& slider, const Windows& calibration, at::ScalarType storage,
              const Context& context)
      : source_(source),
        moe_(moe),
        recipe_(recipe),
        slider_(slider),
        storage_(storage),
        context_(context),
        random_(recipe.seed, "finish") {
    deal(calibration);
    progress_.emplace(context_, passes());
  }

  std::vector<double> run(const std::function<void(int layer, const MoeWeights& weights)>& keep) {
    std::vector<double> losses;
    for (const Block& block : blocks()) {
      pass_dense(block);
      if (converted(block)) {
        const auto [loss, layers] = train(block);
        losses.push_back(loss);
        context_.emit(LossEvent{-1, static_cast<int>(losses.size()), loss, true});
        pass_converted(block, layers);
        for (std::size_t i = 0; loss < 0 && i < layers.size(); ++i)
          if (layers[i]) keep(static_cast<int>(block.first) + static_cast<int>(i), *layers[i]);
      } else {
        pass_converted(block, present_layers(block));
      }
    }
    return losses;
  }

 private:
  /// Puts the windows into groups, those for training in random order before those for validation.
  void deal(const Windows& calibration) {
    WindowOrder order(calibration.count(), recipe_.stage1.validation_share);
    std::vector<std::int64_t> training(order.index.begin(), order.index.begin() + order.training);
    random_.shuffle(training);
    std::ranges::copy(training, order.index.begin());
    const auto windows = order.all(calibration);
    dense_ = ResidualStream::embedded(source_, windows, context_);
    converted_ = ResidualStream::embedded(source_, windows, context_);
    constexpr int stretches = FinishSlider::stretches;
    const auto size = std::max<std::int64_t>(1, recipe_.finish.batch / (stretches * windows.window));
    const auto held_out = windows.count() - order.training;
    training_ = groups(0, order.training, size);
    // Small groups where there are few windows, so that all stretches of the slider are judged.
    judging_ =
        groups(order.training, windows.count(), std::clamp<std::int64_t>(held_out / stretches, 1, size));
  }

  std::vector<Group> groups(std::int64_t begin, std::int64_t end, std::int64_t size) {
    std::vector<Group> result;
    for_chunks(end - begin, size, [&](auto from, auto to) {
      const auto policy = slider_.draw(static_cast<int>(result.size()) % FinishSlider::stretches, random_);
      result.push_back({begin + from, begin + to, policy.layers});
    });
    return result;
  }

  std::vector<Block> blocks() const {
    std::vector<Block> result;
    for_chunks(recipe_.layers.back() + 1, recipe_.finish.block, [&](auto first, auto last) {
      result.push_back({first, last});
    });
    return result;
  }

  bool converted(const Block& block) const {
    return std::ranges::any_of(recipe_.layers, [&](int l) { return l >= block.first && l < block.last; });
  }

  /// All work, in passes of a window through a layer.
  std::int64_t passes() const {
    const auto windows = dense_.windows(), fitted = training_.back().end, held_out = windows - fitted;
    std::int64_t sum = 0;
    for (const Block& block : blocks()) {
      sum += block.layers() * 2 * windows;
      if (converted(block))
        sum += block.layers() * (held_out + recipe_.finish.epochs * (passes_of_step * fitted + held_out));
    }
    return sum;
  }

  void pass_dense(const Block& block) {
    Walk how;
    how.layers = block.layers();
    how.load = [&](std::int64_t l) { return source_.layer(block.first + l); };
    how.passed = [&](std::int64_t windows) { progress_->advance(windows); };
    walk(source_, dense_, how, context_);
  }

  /// In fp32, whatever the training multiplies in: this is the model as it will run.
  void pass_converted(const Block& block, const ConvertedLayers& layers) {
    const ElasticStudent student(source_, block.first, layers, recipe_.finish.slope, at::kFloat);
    for (const auto* part : {&training_, &judging_})
      for (const Group& group : *part) {
        context_.check();
        converted_.write(group.begin, after(student, block, group));
        progress_->advance(block.layers() * group.windows());
      }
  }

  ConvertedLayers present_layers(const Block& block) const {
    return layers_of(block, [&](int l) { return *moe_.load(l); });
  }
  ConvertedLayers first_layers(const Block& block) const {
    return layers_of(block, [&](int l) { return slider_.first_layer(l); });
  }
  template <class Load>
  ConvertedLayers layers_of(const Block& block, const Load& load) const {
    ConvertedLayers layers(static_cast<std::size_t>(block.layers()));
    for (const int l : recipe_.layers)
      if (l >= block.first && l < block.last) layers[static_cast<std::size_t>(l - block.first)] = load(l);
    return layers;
  }

  /// The hidden states of a group behind the block.
  at::Tensor after(const ElasticStudent& student, const Block& block, const Group& group) const {
    return student.forward(converted_.read(group.begin, group.end), group.within(block)).h;
  }

  /// A block after its training. With a loss of 0 the layers are as they were.
  struct Trained {
    double loss = 0;
    ConvertedLayers layers;
  };

  Trained train(const Block& block) {
    const Finish& settings = recipe_.finish;
    const auto student_of = [&](ConvertedLayers layers) {
      return ElasticStudent(source_, block.first, std::move(layers), settings.slope, compute_dtype(recipe_));
    };
    const auto before = log_errors(student_of(present_layers(block)), block);
    ElasticStudent student = student_of(first_layers(block));
    StudentOptimiser optimiser(student, settings.learning_rate);
    double best = 0;
    for (int epoch = 0; epoch < settings.epochs; ++epoch) {
      fit(student, optimiser, block, epoch);
      student.round(storage_);
      const auto now = log_errors(student, block);
      double loss = 0;
      for (std::size_t g = 0; g < now.size(); ++g) loss += now[g] - before[g];
      loss /= static_cast<double>(now.size());
      if (loss < best) {
        best = loss;
        optimiser.keep();
      } else {
        optimiser.go_back();
        optimiser.slow_down();
      }
    }
    if (best == 0) return {best, present_layers(block)};
    optimiser.go_back();
    return {best, student.layers()};
  }

  /// ln of the error of every group that is for judging.
  std::vector<double> log_errors(const ElasticStudent& student, const Block& block) {
    std::vector<double> result;
    for (const Group& group : judging_) {
      context_.check();
      const Distance distance(after(student, block, group), dense_.read(group.begin, group.end));
      result.push_back(std::log(std::max(distance.error, least_error)));
      progress_->advance(block.layers() * group.windows());
    }
    return result;
  }

  /// Trains for one epoch. A batch has a group from every stretch of the slider.
  void fit(const ElasticStudent& student, StudentOptimiser& optimiser, const Block& block, int epoch) {
    // To first order a step lowers the sum of ln(error) of its groups by 1: with four groups each by a
    // quarter.
    constexpr double most = 1;
    std::array<std::vector<const Group*>, FinishSlider::stretches> turns;
    for (std::size_t g = 0; g < training_.size(); ++g) turns[g % turns.size()].push_back(&training_[g]);
    for (auto& groups : turns) random_.shuffle(groups);
    const auto batches = turns.front().size();
    const auto steps = static_cast<double>(batches) * recipe_.finish.epochs;
    for (std::size_t b = 0; b < batches; ++b) {
      std::vector<at::Tensor> gradients(student.parameters().size());
      for (const auto& groups : turns)
        if (b < groups.size()) differentiate(student, block, *groups[b], gradients);
      const auto done = static_cast<double>(batches) * epoch + static_cast<double>(b) + 1;
      optimiser.step(gradients, scheduled(done / steps), most);
    }
  }

  /// Adds the gradients of ln(error) of a group. There are none where all its layers are dense.
  void differentiate(const ElasticStudent& student, const Block& block, const Group& group,
                     std::vector<at::Tensor>& gradients) {
    context_.check();
    const at::AutoGradMode with_gradients(true);
    const auto pass = student.forward(converted_.read(group.begin, group.end), group.within(block));
    progress_->advance(passes_of_step * block.layers() * group.windows());
    if (!pass.h.requires_grad()) return;
    const Distance distance(pass.h.detach(), dense_.read(group.begin, group.end));
    pass.differentiate(distance.weighted / std::max(distance.error, least_error), gradients);
  }

  static constexpr std::int64_t passes_of_step =
      3;                                       // differentiating takes as long as so many forward passes
  static constexpr double least_error = 1e-9;  // smaller errors count as this; an unchanged model has none

  const WeightSource& source_;
  const MoeLayers& moe_;
  const Recipe& recipe_;
  const FinishSlider& slider_;
  at::ScalarType storage_;
  const Context& context_;
  Random random_;
  std::vector<Group> training_, judging_;
  ResidualStream dense_, converted_;  // before the next block
  std::optional<Progress> progress_;
};

}  // namespace

std::vector<double> finish_by_blocks(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                                     const Windows& calibration, at::ScalarType storage,
                                     const std::function<void(int layer, const MoeWeights& weights)>& keep,
                                     const Context& context) {
  constexpr double priced_until = 0.1;  // share of the step's time
  const FinishSlider slider(source, moe, recipe, calibration, storage, context.part(0, priced_until));
  const Context training = context.part(priced_until, 1);
  return BlockFinish(source, moe, recipe, slider, calibration, storage, training).run(keep);
}

}  // namespace ladimo
