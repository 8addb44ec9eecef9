// Stage 2's tables put together: candidates with their activity on the converted model's own trajectory,
// their sensitivity, and the joint measurement at points of the frontier.
#pragma once

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/tradeoff_table.h"
#include "profile/sensitivity.h"

namespace ladimo {

/// Activity of every candidate when all layers are at the same rung (method.md 3.8), estimated
/// sensitivity, or the measured one with its rank correlation to the estimate; everything but the joint
/// points.
TradeoffTable measure_tradeoff(const WeightSource& source, const MoeProvider& moe,
                               const CandidateTable& candidates, const Windows& windows, bool measure,
                               std::uint64_t seed, const Context& context);

/// Measures the joint KL, nll and activity at points of the frontier between accurate and cheapest.
std::vector<JointPoint> measure_joint(const WeightSource& source, const MoeProvider& moe,
                                      const TradeoffTable& table, const Windows& windows,
                                      const Context& context);

}  // namespace ladimo
