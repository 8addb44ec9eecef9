// The end-to-end finish trains all converted layers together on the logits of the calibration tokens
// (docs/method.md "The finish, all layers").
#pragma once

#include "base/context.h"
#include "evaluate/scores.h"
#include "run/recipe.h"
#include "training/end_to_end.h"

namespace ladimo {

/// Trains all `recipe.layers` at once (training/end_to_end.h). Every batch uses a few positions of the
/// frontier, which is made from estimated sensitivities. Each position is weighted by the inverse of its
/// expected KL, so that one conversion serves the slider. With `finish.shift` the layers learn to move along
/// the slider (model/moe_layer.h). The losses are means over slider positions of ln(KL / KL of the first
/// frontier at the same activated parameters).
Trained finish_end_to_end(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                          const Windows& calibration, at::ScalarType storage, const Context& context);

}  // namespace ladimo
