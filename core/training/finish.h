// The end-to-end finish trains all converted layers together on the logits of the calibration tokens
// (docs/method.md "The finish, all layers").
#pragma once

#include <map>
#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "run/recipe.h"

namespace ladimo {

struct Finished {
  std::map<int, MoeWeights> layers;  // the best on validation windows; empty where nothing improved
  /// One number after every epoch, on validation windows: the mean over slider positions of ln(KL / KL of the
  /// first frontier at the same activated parameters).
  std::vector<double> held_out_losses;
};

/// Trains gate, up, down, compensation and router of all `recipe.layers` at once, with Adam on KL(dense ||
/// converted) of the next-token distributions. Every batch uses a few positions of the frontier, which is
/// made from estimated sensitivities. Each position is weighted by the inverse of its expected KL, so that
/// one conversion serves the slider. With `finish.shift` the layers learn to move along the slider
/// (model/moe_layer.h). Weights are rounded to `storage` before they are judged. Holds the whole model in
/// memory. The same seed gives the same bytes.
Finished finish_end_to_end(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                           const Windows& calibration, at::ScalarType storage, const Context& context);

}  // namespace ladimo
