// The first measurement of stage 2: how the routing weights of every layer are distributed on held-out
// tokens.
#pragma once

#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/routing_profile.h"
#include "profile/ladder.h"

namespace ladimo {

struct RoutingMeasurement {
  RoutingProfile profile;
  std::vector<std::vector<LayerPolicy>> candidates;  // per layer; empty where the layer was not converted
  std::vector<CutThresholds> cuts;                   // per layer
};

/// Runs the dense model once over the windows. The routing weights of the converted `layers` are measured on
/// the dense model's own trajectory, without window position 0.
RoutingMeasurement measure_routing(const WeightSource& source, const MoeLayers& moe,
                                   const std::vector<int>& layers, const Windows& windows,
                                   const Context& context);

}  // namespace ladimo
