#include "baselines/oracle.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "baselines/expert_ffn.h"
#include "convert/contributions.h"
#include "convert/router_fit.h"
#include "model/routing_weights.h"

namespace ladimo {
namespace {

/// Contribution norms, together with the weights that they refer to.
struct TrueNorms {
  std::shared_ptr<const MoeWeights> weights;
  ContributionNorms of;

  TrueNorms(std::shared_ptr<const MoeWeights> w, const HiddenStatistics& statistics)
      : weights(std::move(w)), of(*weights, statistics) {}
};

}  // namespace

FeedForwards make_oracle(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context) {
  const auto training = task.rows.train();
  const auto partition = partition_neurons(
      task.ffn, task.statistics, training, task.recipe,
      Random(task.recipe.seed, "partition", static_cast<std::uint64_t>(task.layer)), context);
  const auto sliced = slice_ffn(task.ffn, partition);
  const auto norms = std::make_shared<const TrueNorms>(std::make_shared<MoeWeights>(sliced), task.statistics);
  const auto measured = contribution_targets(sliced, task.statistics, /*replaced=*/true, training, context);

  ExpertChoice choice;
  choice.skipped_parameters = static_cast<double>(sliced.hidden_size());
  const MoeShape shape = shape_of(sliced, choice);
  const double at_none = shape.activated_parameters(0);
  const double at_all = shape.activated_parameters(static_cast<double>(shape.routed));
  FeedForwards ffns;
  for (const double target : targets) {
    const double level =
        std::clamp((target * task.dense_parameters() - at_none) / (at_all - at_none), 0.0, 1.0);
    const double threshold = level < 1 ? thresholds_at(measured, {level}).front() : 0;
    auto weights = std::make_shared<MoeWeights>(sliced);
    weights->compensation = conditional_compensation(sliced, training, measured, {threshold}, context);
    choice.weights = [norms, threshold](const at::Tensor&, const at::Tensor& h) {
      return norms->of(h) >= threshold;
    };
    ffns.push_back(std::make_shared<ExpertFfn>(weights, choice));
  }
  return ffns;
}

}  // namespace ladimo
