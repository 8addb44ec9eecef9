// Builds the tables of stage 2: candidates with their activity on the converted model's own trajectory, their
// sensitivity, and the joint measurement at points of the frontier.
#pragma once

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/tradeoff_table.h"
#include "profile/sensitivity.h"

namespace ladimo {

/// How the tables are made.
struct TradeoffSettings {
  bool measured = false;     // sensitivity is measured instead of estimated
  bool recalibrated = true;  // activity from the converted model's trajectory, else the dense model's
  std::uint64_t seed = 0;    // seed of the estimate
};

/// Fills in everything but what measure_joint() adds. The activity of every candidate is counted with all
/// layers at the same rung (docs/method.md "Stage 2"). The sensitivity is estimated, or measured with its
/// rank correlation to the estimate. Both use activity_windows() and sensitivity_windows() of the text.
/// Single inputs are always estimated. `cuts` holds their thresholds per layer; with none of them, policies
/// leave out no single inputs.
TradeoffTable measure_tradeoff(const WeightSource& source, const MoeLayers& moe,
                               const CandidateTable& candidates, const std::vector<CutThresholds>& cuts,
                               const Windows& windows, const TradeoffSettings& settings,
                               const Context& context);

/// Adds three thresholds between two measured ones and every k between two measured ks. Activity and KL are
/// interpolated as the slider does it.
void fill_ladder(TradeoffTable& table);

/// Measures the joint KL, nll and activity at points of the frontiers of experts alone, of top_k alone and of
/// all grains, between accurate and cheapest. Also measures the dense model's nll.
void measure_joint(TradeoffTable& table, const WeightSource& source, const MoeLayers& moe,
                   const Windows& windows, const TradeoffSettings& settings, const Context& context);

}  // namespace ladimo
