#include "baselines/learned_pruning.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "base/random.h"
#include "baselines/static_pruning.h"
#include "convert/adam.h"
#include "convert/compute_dtype.h"
#include "profile/fisher.h"
#include "stream/window_order.h"
#include "training/dense_target.h"
#include "training/elastic_student.h"

namespace ladimo {
namespace {

constexpr std::int64_t saliency_tokens = 8192;
constexpr double rate = 0.1;  // standard deviations of the scores that a score moves in a step
// Shares of the work that the saliency takes, and the dense model's pass.
constexpr double saliency_until = 0.1, dense_until = 0.2;

/// A dense FFN in which a share of every neuron is replaced by the neuron's mean.
class MaskedFfn : public FeedForward {
 public:
  /// mask [f] fp32: 1 where a neuron stays. mean [f] fp32.
  MaskedFfn(std::shared_ptr<const FeedForward> dense, at::Tensor mask, at::Tensor mean)
      : dense_(std::move(dense)), mask_(std::move(mask)), mean_(std::move(mean)) {}

  using FeedForward::forward;
  FfnOutput forward(const at::Tensor& x, const at::Tensor&) const override {
    const auto& ffn = dynamic_cast<const DenseFfn&>(*dense_);
    const auto h = ffn.hidden(x);
    const auto mask = mask_.to(h.scalar_type()), mean = mean_.to(h.scalar_type());
    return {at::linear(mean + mask * (h - mean), ffn.down, ffn.down_bias), {}};
  }
  MoeShape shape() const override { return dense_->shape(); }

 private:
  std::shared_ptr<const FeedForward> dense_;
  at::Tensor mask_, mean_;
};

/// What is known of the neurons of the layers that are pruned.
struct Neurons {
  at::Tensor score;  // [layers, f] ln of the KL that replacing a neuron by its mean costs, standardised
  at::Tensor mean;   // [layers, f]
};

Neurons measure_neurons(const WeightSource& source, const Recipe& recipe, const Windows& windows,
                        const Context& context) {
  const auto layers = static_cast<std::int64_t>(recipe.layers.size());
  const auto options = at::TensorOptions(at::kDouble).device(source.device());
  const auto zeros = [&] { return at::zeros({layers, source.config().intermediate_size}, options); };
  // Sums over the tokens of h, u^2, u^2 h and u^2 h^2, with u the gradient with respect to h.
  auto h_sum = zeros(), uu = zeros(), uuh = zeros(), uuhh = zeros();
  Progress progress(context, 2 * source.config().layers * windows.count());
  const auto see = [&](const BackwardChunk& chunk) {
    const auto found = std::ranges::lower_bound(recipe.layers, static_cast<int>(chunk.forward.layer));
    if (found == recipe.layers.end() || *found != chunk.forward.layer) return;
    const auto row = found - recipe.layers.begin();
    // The first token of a window may have values far larger than all others.
    const auto others = [&](const at::Tensor& t) {
      return t.view({-1, windows.window, t.size(1)}).slice(1, 1).flatten(0, 1).to(at::kFloat);
    };
    const auto h = others(chunk.forward.hidden);
    const auto u = others(chunk.input_gradients[static_cast<std::size_t>(Product::down)]);
    const auto square = u.square();
    h_sum[row] += h.sum(0);
    uu[row] += square.sum(0);
    uuh[row] += (square * h).sum(0);
    uuhh[row] += (square * h.square()).sum(0);
  };
  walk_sampled_gradient(
      source, windows, recipe.seed, see, [&](std::int64_t n) { progress.advance(n); }, context);
  const auto tokens = static_cast<double>(windows.count() * (windows.window - 1));
  const auto mean = h_sum / tokens;
  const auto kl = (uuhh - 2 * mean * uuh + mean.square() * uu).clamp_min(0) / tokens;
  const auto score = (kl + 1e-12 * kl.mean() + 1e-30).log();
  return {((score - score.mean()) / score.std().clamp_min(1e-6)).to(at::kFloat), mean.to(at::kFloat)};
}

/// The model with masks over its neurons, trained for one target.
class MaskTraining {
 public:
  MaskTraining(const WeightSource& source, const Recipe& recipe, const Windows& calibration,
               const Context& context)
      : source_(source),
        recipe_(recipe),
        order_(calibration.count(), recipe.stage1.validation_share),
        windows_(order_.all(calibration)),
        target_(source, windows_, context) {
    const WeightSource narrow(source.checkpoint(), source.device(), compute_dtype(recipe));
    for (std::int64_t l = 0; l < source.config().layers; ++l) layers_.push_back(narrow.layer(l));
  }

  std::int64_t steps() const {
    const auto in_step = windows_in_step();
    return recipe_.finish.epochs * ((order_.training + in_step - 1) / in_step);
  }

  /// Returns the mask [layers, f] of 0 and 1 that has the smallest KL on the validation windows. `kept`
  /// neurons stay in all layers together. Reports every step to `progress`.
  at::Tensor run(const Neurons& neurons, std::int64_t kept, Progress& progress) const {
    auto score = neurons.score.clone();
    Adam adam(score, 1);
    Random random(recipe_.seed, "learned pruning", static_cast<std::uint64_t>(kept));
    std::vector<std::int64_t> training(static_cast<std::size_t>(order_.training));
    std::iota(training.begin(), training.end(), 0);
    auto best = mask_of(score, kept);
    double least = validated(best, neurons.mean);
    std::int64_t step = 0;
    for (int epoch = 0; epoch < recipe_.finish.epochs; ++epoch) {
      random.shuffle(training);
      for_chunks(order_.training, windows_in_step(), [&](auto begin, auto end) {
        const auto pick = std::span<const std::int64_t>(training).subspan(
            static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
        const auto gradient = gradient_of(score, kept, neurons.mean, pick);
        adam.step(gradient, rate * scheduled(static_cast<double>(++step) / static_cast<double>(steps())));
        progress.advance();
      });
      const auto mask = mask_of(score, kept);
      if (const double kl = validated(mask, neurons.mean); kl < least) least = kl, best = mask;
    }
    return best;
  }

 private:
  std::int64_t windows_in_step() const {
    return std::max<std::int64_t>(1, recipe_.finish.batch / windows_.window);
  }

  /// The places of neurons in the flat scores, those that stay first: the strongest neuron of every layer,
  /// then by falling score.
  static at::Tensor strongest(const at::Tensor& score) {
    const auto flat = score.flatten().clone();
    const auto best = score.argmax(1) + at::arange(score.size(0), score.device()) * score.size(1);
    flat.index_put_({best}, flat.index_select(0, best) + score.max() - score.min() + 1);
    return std::get<1>(flat.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
  }
  static at::Tensor mask_of(const at::Tensor& score, std::int64_t kept) {
    return at::zeros({score.numel()}, score.options())
        .index_fill_(0, strongest(score).slice(0, 0, kept), 1)
        .view_as(score);
  }
  /// The score of the weakest neuron that stays.
  static double threshold_of(const at::Tensor& score, std::int64_t kept) {
    return score.flatten()[strongest(score)[kept - 1]].item<double>();
  }

  /// The stream of the masked model after its last layer. mask, mean [layers, f].
  at::Tensor forward(const at::Tensor& mask, const at::Tensor& mean,
                     std::span<const std::int64_t> pick) const {
    const auto ids = ids_of(picked_windows(windows_, pick), 0, std::ssize(pick));
    std::int64_t row = 0;
    return walk_together(source_, source_.embed(ids), source_.config().layers, [&](std::int64_t l) {
      auto layer = layers_[static_cast<std::size_t>(l)];
      if (std::ranges::binary_search(recipe_.layers, static_cast<int>(l))) {
        layer.ffn = std::make_shared<MaskedFfn>(layer.ffn, mask[row], mean[row]);
        ++row;
      }
      return layer;
    });
  }

  at::Tensor gradient_of(const at::Tensor& score, std::int64_t kept, const at::Tensor& mean,
                         std::span<const std::int64_t> pick) const {
    const at::AutoGradMode with_gradients(true);
    const auto leaf = score.detach().set_requires_grad(true);
    const auto width = at::full({}, recipe_.finish.slope, score.options());  // the scores are standardised
    const auto soft = differentiable_selection(leaf, threshold_of(score, kept), width);
    const auto h = forward(soft + (mask_of(score, kept) - soft).detach(), mean, pick);
    const auto gradient = target_.kl_gradient(h.detach(), pick, 1).second;
    return torch::autograd::grad({h}, {leaf}, {gradient})[0];
  }

  /// KL on the validation windows.
  double validated(const at::Tensor& mask, const at::Tensor& mean) const {
    double sum = 0;
    for (auto w = order_.training; w < windows_.count(); ++w)
      sum += target_.kl_gradient(forward(mask, mean, std::array{w}), std::array{w}, 1).first;
    return sum;
  }

  const WeightSource& source_;
  const Recipe& recipe_;
  WindowOrder order_;
  Windows windows_;  // those for training first
  DenseTarget target_;
  std::vector<DecoderLayer> layers_;  // in the dtype of the products
};

}  // namespace

std::vector<KeptNeurons> learn_kept_neurons(const WeightSource& source, const Recipe& recipe,
                                            const Windows& calibration, const std::vector<double>& targets,
                                            const Context& context) {
  const auto fitted = WindowOrder(calibration.count(), recipe.stage1.validation_share).fitted(calibration);
  const auto neurons =
      measure_neurons(source, recipe, some_windows(fitted, saliency_tokens / calibration.window + 1),
                      context.part(0, saliency_until));
  const MaskTraining training(source, recipe, calibration, context.part(saliency_until, dense_until));
  const auto layers = static_cast<double>(recipe.layers.size());
  const auto ffn = source.dense_ffn(recipe.layers.front());
  const Context steps = context.part(dense_until, 1);
  Progress progress(steps, training.steps() * std::ssize(targets));
  std::vector<KeptNeurons> result;
  for (const double target : targets) {
    const auto kept =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(layers * neurons_within(*ffn, target)),
                                 std::ssize(recipe.layers), neurons.score.numel());
    const auto mask = training.run(neurons, kept, progress);
    auto& layer_neurons = result.emplace_back(static_cast<std::size_t>(source.config().layers));
    for (std::size_t i = 0; i < recipe.layers.size(); ++i)
      layer_neurons[static_cast<std::size_t>(recipe.layers[i])] =
          mask[static_cast<std::int64_t>(i)].nonzero().flatten();
  }
  return result;
}

}  // namespace ladimo
