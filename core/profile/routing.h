// Stage 2's first measurement: how the routing weights of every layer are distributed on held-out tokens.
#pragma once

#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "policy/routing_profile.h"

namespace ladimo {

struct RoutingMeasurement {
  RoutingProfile profile;
  std::vector<std::vector<LayerPolicy>> candidates;  // per layer; empty where the layer was not converted
};

/// One pass of the dense model over the windows; routing weights of the converted `layers` on the dense
/// model's own trajectory, window position 0 left out.
RoutingMeasurement measure_routing(const WeightSource& source, const MoeLayers& moe,
                                   const std::vector<int>& layers, const Windows& windows,
                                   const Context& context);

}  // namespace ladimo
