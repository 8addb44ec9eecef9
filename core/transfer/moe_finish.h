// Trains fitted layers of a MoE class together, for the one policy that they are written under.
#pragma once

#include <functional>

#include "base/context.h"
#include "model/standard_moe.h"
#include "model/weight_source.h"
#include "policy/layer_policy.h"
#include "run/recipe.h"
#include "text/corpus.h"

namespace ladimo {

/// KL(dense || model) in nats per token, of a model that has layers of a class where `policy` is not dense.
double kl_of_class(const WeightSource& source, const ModelPolicy& policy,
                   const std::function<StandardMoe(int layer)>& layers, const Windows& windows,
                   const Context& context);

/// Trains experts and routers of all layers that `policy` does not leave dense, end to end
/// (training/end_to_end.h), for `recipe.finish.epochs` passes through the training windows. `fitted` gives
/// the layers as the class computes them, without null experts. `keep` gets those of the best epoch, rounded
/// to `storage`, and nothing where no epoch is better than the fit on validation windows. Holds the whole
/// model in memory.
void finish_for_class(const MoeClass& target, const WeightSource& source, const ModelPolicy& policy,
                      const std::function<StandardMoe(int layer)>& fitted, const Recipe& recipe,
                      const Windows& calibration, at::ScalarType storage,
                      const std::function<void(int layer, const StandardMoe& finished)>& keep,
                      const Context& context);

}  // namespace ladimo
