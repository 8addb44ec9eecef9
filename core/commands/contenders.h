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

/// The contenders as one pass scores them; they must outlive it.
Branches scored_together(const std::vector<Contender>& contenders);

/// What the opponents `methods` make of the model for every target, from the plan's calibration text. All of
/// them see the same inputs of one layer, then of the next. Where the converted model's own inputs change how
/// much runs, what is asked for is corrected until what runs is the target. Holds the networks of all layers.
/// Those that split an FFN make `experts` slices of it as the plan does; none: customary_experts().
std::vector<Contender> make_opponents(const WeightSource& source, const Plan& plan,
                                      const std::vector<const Baseline*>& methods,
                                      const std::vector<double>& targets, std::optional<int> experts,
                                      const Context& context);

/// Converts as the plan says (in its run folder, which may hold a part of it or all) and solves for every
/// target with policies of `kinds`.
std::vector<Contender> make_ours(const WeightSource& source, const Plan& plan, const std::string& name,
                                 const std::vector<double>& targets, Kinds kinds, const Runtime& runtime,
                                 const Context& context);

}  // namespace ladimo
