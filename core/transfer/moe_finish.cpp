#include "transfer/moe_finish.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.h"
#include "evaluate/evaluation.h"
#include "evaluate/scores.h"
#include "stream/window_order.h"
#include "training/end_to_end.h"
#include "transfer/standard_layer.h"

namespace ladimo {
namespace {

constexpr double judged_until = 0.03;  // share of the time: the fit is measured

}  // namespace

double kl_of_class(const WeightSource& source, const ModelPolicy& policy,
                   const std::function<StandardMoe(int layer)>& layers, const Windows& windows,
                   const Context& context) {
  const auto routed = [](const LayerPolicy& layer) { return layer.kind != LayerPolicy::Kind::dense; };
  Branches model;
  model.first_layer = {std::ranges::find_if(policy, routed) - policy.begin()};
  model.layers = [&](int l) -> std::vector<BranchLayer> {
    if (!routed(policy[static_cast<std::size_t>(l)])) return {{nullptr, 0, 0}};
    return {{std::make_shared<const StandardMoe>(layers(l)), 0, 0}};
  };
  return summarise(score(source, model, windows, context), 0).kl;
}

void finish_for_class(const MoeClass& target, const WeightSource& source, const ModelPolicy& policy,
                      const std::function<StandardMoe(int layer)>& fitted, const Recipe& recipe,
                      const Windows& calibration, at::ScalarType storage,
                      const std::function<void(int layer, const StandardMoe& finished)>& keep,
                      const Context& context) {
  TrainingTask task;
  task.layers.resize(policy.size());
  Policy trained;
  trained.layers = policy;  // with the k of every layer in the class
  for (std::size_t l = 0; l < policy.size(); ++l) {
    if (policy[l].kind == LayerPolicy::Kind::dense) continue;
    const StandardMoe layer = fitted(static_cast<int>(l));
    task.layers[l] = weights_of(target, layer);
    trained.layers[l] = LayerPolicy::top(static_cast<int>(layer.gating.k));
  }
  const WindowOrder order(calibration.count(), recipe.stage1.validation_share);
  const Windows judging = order.judging(calibration);
  const auto in_class = [&](int l, const MoeWeights& weights) {
    return standard_layer(target, weights, trained.layers[static_cast<std::size_t>(l)].k, storage);
  };
  trained.predicted.kl = kl_of_class(source, policy, fitted, judging, context.part(0, judged_until));
  task.draw = [&](int, Random&) { return trained; };
  task.judge = [&](const MoeLayers& layers, const Context& part) {
    const auto layer = [&](int l) { return in_class(l, *layers.load(l)); };
    return std::log(kl_of_class(source, policy, layer, judging, part) / trained.predicted.kl);
  };
  const auto result =
      train_end_to_end(source, std::move(task), recipe, calibration, storage, context.part(judged_until, 1));
  log_debug(fmt::format("trained for {}: KL {} before, ln(KL / before) after each epoch: {}", target.name,
                        trained.predicted.kl, fmt::join(result.held_out_losses, ", ")));
  for (const auto& [l, weights] : result.layers) keep(l, in_class(l, weights));
}

}  // namespace ladimo
