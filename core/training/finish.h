// The end-to-end finish: all converted layers trained together on the logits of the calibration tokens
// (docs/method.md "The finish, all layers").
#pragma once

#include <map>
#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "run/recipe.h"

namespace ladimo {

struct Finished {
  std::map<int, MoeWeights> layers;  // the best on validation windows; empty where nothing was better
  /// After every epoch: mean over slider positions of ln(KL / KL that the frontier had before at the same
  /// activated parameters), on validation windows.
  std::vector<double> held_out_losses;
};

/// Adam on gate, up, down, compensation and router of all `recipe.layers` at once, on KL(dense || converted)
/// of the next-token distributions. Every batch is taken at a few positions of the frontier (from estimated
/// sensitivities), each weighted by the inverse of the KL expected there, so that one conversion serves the
/// slider; with `finish.shift` the layers learn to move along it (model/moe_layer.h). Weights are rounded to
/// `storage` before they are judged. Holds the whole model; the same seed gives the same bytes.
Finished finish_end_to_end(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                           const Windows& calibration, at::ScalarType storage, const Context& context);

}  // namespace ladimo
