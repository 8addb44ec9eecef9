// Models that a comparison measures beside each other.
#pragma once

#include <string>
#include <vector>

#include "baselines/baseline.h"
#include "commands/runtime.h"
#include "evaluate/scores.h"
#include "policy/frontier.h"
#include "run/plan.h"

namespace ladimo {

/// One method's model for one target: an FFN for every layer, null where it stays dense.
struct Contender {
  std::string method;
  double target = 0;
  FeedForwards ffns;
  double seconds = 0;  // to make the method's models for all targets
};

/// The contenders as the branches of one pass, which scores them together. They must outlive the pass.
Branches scored_together(const std::vector<Contender>& contenders);

/// Makes the models of the opponents `methods` for every target from the plan's calibration text. Layer by
/// layer, all opponents see the same inputs. For a bound (Baseline::bound) the targets that it is asked for
/// are corrected until what runs on the converted model's own inputs meets the real ones. The networks of all
/// layers stay in memory. With `experts`, opponents that split an FFN make as many slices as the plan;
/// without, customary_experts().
std::vector<Contender> make_opponents(const WeightSource& source, const Plan& plan,
                                      const std::vector<const Baseline*>& methods,
                                      const std::vector<double>& targets, std::optional<int> experts,
                                      const Context& context);

/// Our method with some kinds of policies and some of the grains. The attention is left alone.
struct Ours {
  std::string name;
  Grains grains;
  Kinds kinds = Kinds::mixed;
};

/// Carries out the plan in its run folder, which may already hold some or all steps, and solves for every
/// target with each of `methods`.
std::vector<Contender> make_ours(const WeightSource& source, const Plan& plan,
                                 const std::vector<Ours>& methods, const std::vector<double>& targets,
                                 const Runtime& runtime, const Context& context);

}  // namespace ladimo
