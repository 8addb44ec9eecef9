#include "transfer/moe_finish.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "evaluate/evaluation.h"
#include "evaluate/scores.h"
#include "stream/window_order.h"
#include "training/end_to_end.h"
#include "transfer/standard_layer.h"

namespace ladimo {
namespace {

constexpr double judged_until = 0.03;  // share of the time: the fit is measured

/// The KL of layers under a policy that gives every layer its k, as the class computes them.
class ClassJudge {
 public:
  ClassJudge(const MoeClass& target, const WeightSource& source, Windows windows, const ModelPolicy& policy,
             at::ScalarType storage)
      : target_(target), source_(source), windows_(std::move(windows)), policy_(policy), storage_(storage) {}

  double log_kl(const MoeLayers& layers, const Context& context) const {
    const auto routed = [](const LayerPolicy& layer) { return layer.kind != LayerPolicy::Kind::dense; };
    Branches model;
    model.first_layer = {std::ranges::find_if(policy_, routed) - policy_.begin()};
    model.layers = [&](int l) -> std::vector<BranchLayer> {
      const LayerPolicy& layer = policy_[static_cast<std::size_t>(l)];
      if (!routed(layer)) return {{nullptr, 0, 0}};
      const auto weights = layers.load(l);
      return {
          {std::make_shared<const StandardMoe>(standard_layer(target_, *weights, layer.k, storage_)), 0, 0}};
    };
    return std::log(std::max(summarise(score(source_, model, windows_, context), 0).kl, 1e-9));
  }

 private:
  const MoeClass& target_;
  const WeightSource& source_;
  Windows windows_;
  const ModelPolicy& policy_;
  at::ScalarType storage_;
};

}  // namespace

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
  const ClassJudge judge(target, source, order.judging(calibration), trained.layers, storage);
  const auto& before = task.layers;
  const MoeLayers first = {
      [&](int l) { return std::make_shared<const MoeWeights>(*before[static_cast<std::size_t>(l)]); },
      [&](int l) { return before[static_cast<std::size_t>(l)]->shape(); }};
  const double log_kl = judge.log_kl(first, context.part(0, judged_until));
  trained.predicted.kl = std::exp(log_kl);
  task.draw = [&](int, Random&) { return trained; };
  task.judge = [&](const MoeLayers& layers, const Context& judging) {
    return judge.log_kl(layers, judging) - log_kl;
  };
  const auto result =
      train_end_to_end(source, std::move(task), recipe, calibration, storage, context.part(judged_until, 1));
  for (const auto& [l, weights] : result.layers)
    keep(l, standard_layer(target, weights, trained.layers[static_cast<std::size_t>(l)].k, storage));
}

}  // namespace ladimo
