// Trains fitted layers of a MoE class together, for the one policy that they are written under.
#pragma once

#include <functional>

#include "base/context.h"
#include "model/standard_moe.h"
#include "model/weight_source.h"
#include "policy/layer_policy.h"
#include "run/recipe.h"
#include "text/corpus.h"
#include "transfer/class_scores.h"

namespace ladimo {

/// Trains experts and routers of all layers that `policy` does not leave dense, end to end
/// (training/end_to_end.h), for `recipe.finish.epochs` passes through the training windows, at half of the
/// recipe's learning rate. `layers` gives them as the class computes them, without null experts; `kl` is
/// their KL on validation windows. `keep` gets those of the best epoch, rounded to `storage`. Returns false,
/// and keeps nothing, where no epoch is better than `kl`. Holds the whole model in memory.
bool finish_for_class(const MoeClass& target, const WeightSource& source, const ModelPolicy& policy,
                      const LayersOfClass& layers, double kl, const Recipe& recipe,
                      const Windows& calibration, at::ScalarType storage,
                      const std::function<void(int layer, const StandardMoe& finished)>& keep,
                      const Context& context);

}  // namespace ladimo
