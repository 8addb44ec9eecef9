// Stage 2's tables put together: candidates with their activity on the converted model's own trajectory,
// their sensitivity, and the joint measurement at points of the frontier.
#pragma once

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/tradeoff_table.h"
#include "profile/sensitivity.h"

namespace ladimo {

/// How the tables are made.
struct TradeoffSettings {
  bool measured = false;     // sensitivity; else it is estimated
  bool recalibrated = true;  // activity on the converted model's own trajectory; else on the dense one's
  std::uint64_t seed = 0;    // of the estimate
};

/// Activity of every candidate when all layers are at the same rung (docs/method.md "Stage 2"), estimated
/// sensitivity, or the measured one with its rank correlation to the estimate; everything but what
/// measure_joint adds. On activity_windows() and sensitivity_windows() of the text.
TradeoffTable measure_tradeoff(const WeightSource& source, const MoeLayers& moe,
                               const CandidateTable& candidates, const Windows& windows,
                               const TradeoffSettings& settings, const Context& context);

/// Adds three thresholds between two measured ones and every k between two measured ks, with activity
/// and KL interpolated as the slider does.
void fill_ladder(TradeoffTable& table);

/// Measures the joint KL, nll and activity at twelve points of the frontier between accurate and cheapest,
/// and at four of the frontier of top_k alone; the dense model's nll with them.
void measure_joint(TradeoffTable& table, const WeightSource& source, const MoeLayers& moe,
                   const Windows& windows, const TradeoffSettings& settings, const Context& context);

}  // namespace ladimo
