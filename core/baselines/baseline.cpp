#include "baselines/baseline.h"

#include <algorithm>
#include <cmath>

#include "baselines/expert_split.h"
#include "baselines/learned_pruning.h"
#include "baselines/oracle.h"
#include "baselines/plain_distillation.h"
#include "baselines/static_pruning.h"
#include "baselines/teal.h"

namespace ladimo {

const std::vector<Baseline>& baselines() {
  static const std::vector<Baseline> all = {
      {"static", "neurons pruned by variance, their mean output as a bias", false, false, make_static},
      {"static-refit", "the same with the down projection refitted", false, false, make_static_refit},
      {"static-learned",
       "neurons pruned by a mask that is learned on the KL of the whole model, then refitted", false, false,
       make_static_learned, learn_kept_neurons},
      {"random", "random equal experts, linear router, top-k, compensation", false, false, make_random},
      {"moefication", "experts by k-means on gate rows, router for activation sums, top-k", false, false,
       make_moefication},
      {"cmoe", "shared by activation rate, experts by activation marks, representative neurons route", false,
       false, make_cmoe},
      {"expertweaver", "shared share of every layer by its activation marks, mean gate rows route", false,
       false, make_expertweaver},
      {"teal", "small inputs and neurons skipped, shares of a layer by its output error", false, true,
       make_teal},
      {"teal-uniform", "the same with one share for both", false, true, make_teal_uniform},
      {"ladimo-plain", "contiguous experts, softmax router with mixing weights, distilled for one top-k",
       false, false, make_ladimo_plain},
      {"oracle", "our experts chosen by their true contributions, which no router knows", true, true,
       make_oracle}};
  return all;
}

const Baseline* find_baseline(std::string_view name) {
  const auto found = std::ranges::find_if(baselines(), [&](const Baseline& b) { return name == b.name; });
  return found == baselines().end() ? nullptr : &*found;
}

int customary_experts(std::int64_t intermediate_size, int layers) {
  // k has at least this many steps over all layers together, so that a target is met to within half a step.
  constexpr int steps = 96;
  const int experts = std::max({static_cast<int>(intermediate_size / 32), 16, (steps + layers - 1) / layers});
  return static_cast<int>(std::min<std::int64_t>(experts, intermediate_size));
}

int spread_k(const BaselineTask& task, double target, const MoeShape& shape) {
  const auto experts = static_cast<double>(shape.routed);
  const double at_none = shape.activated_parameters(0);
  const double per_expert = (shape.activated_parameters(experts) - at_none) / experts;
  const double exact = std::clamp((target * task.dense_parameters() - at_none) / per_expert, 0.0, experts);
  const int k = static_cast<int>(exact);
  const auto with_one_more = std::lround((exact - k) * task.layers);
  return task.layer < with_one_more ? k + 1 : k;
}

}  // namespace ladimo
