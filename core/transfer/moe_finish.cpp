#include "transfer/moe_finish.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "stream/window_order.h"
#include "training/end_to_end.h"
#include "transfer/standard_layer.h"

namespace ladimo {
namespace {

// A batch is computed in so many parts: the memory of training depends on it (run/memory_use.h).
constexpr int parts_of_batch = 4;
// Of the recipe's rate: layers that were fitted, or finished once, need smaller steps (docs/experiments.md).
constexpr double pace = 0.5;

}  // namespace

bool finish_for_class(const MoeClass& target, const WeightSource& source, const ModelPolicy& policy,
                      const LayersOfClass& layers, double kl, const Recipe& recipe,
                      const Windows& calibration, at::ScalarType storage,
                      const std::function<void(int layer, const StandardMoe& finished)>& keep,
                      const Context& context) {
  TrainingTask task;
  task.layers.resize(policy.size());
  Policy trained;
  trained.layers = policy;  // with the k of every layer in the class
  trained.predicted.kl = kl;
  for (std::size_t l = 0; l < policy.size(); ++l) {
    if (policy[l].kind == LayerPolicy::Kind::dense) continue;
    const StandardMoe layer = layers(static_cast<int>(l));
    task.layers[l] = weights_of(target, layer);
    trained.layers[l] = LayerPolicy::top(static_cast<int>(layer.gating.k));
  }
  const Windows judging =
      WindowOrder(calibration.count(), recipe.stage1.validation_share).judging(calibration);
  const auto in_class = [&](int l, const MoeWeights& weights) {
    return standard_layer(target, weights, trained.layers[static_cast<std::size_t>(l)].k, storage);
  };
  task.draw = [&](int, Random&) { return trained; };
  task.parts = parts_of_batch;
  task.judge = [&](const MoeLayers& now, const Context& part) {
    const auto layer = [&](int l) { return in_class(l, *now.load(l)); };
    return std::log(kls_of_class(source, policy, {layer}, judging, part).front() / kl);
  };
  task.hint = "Omit {finish}.";
  // Only in_class() rounds: between the scale of a class and ours, rounding twice would lose twice.
  Recipe slower = recipe;
  slower.finish.learning_rate *= pace;
  const auto result =
      train_end_to_end(source, std::move(task), slower, calibration, /*storage=*/at::kFloat, context);
  log_debug(fmt::format("trained for {}: KL {} before, ln(KL / before) after each epoch: {}", target.name, kl,
                        fmt::join(result.held_out_losses, ", ")));
  for (const auto& [l, weights] : result.layers) keep(l, in_class(l, weights));
  return !result.layers.empty();
}

}  // namespace ladimo
