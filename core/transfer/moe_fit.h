// Fits converted layers to what a MoE class can say: its router, its mixing weights, and nothing in place of
// the experts that are skipped.
#pragma once

#include <functional>

#include "base/context.h"
#include "model/moe_layers.h"
#include "model/weight_source.h"
#include "run/recipe.h"
#include "text/corpus.h"
#include "transfer/standard_layer.h"

namespace ladimo {

/// Without the null experts that the other layers may call for (transfer/standard_layer.h).
struct FittedLayer {
  StandardMoe as_it_is, fitted;
};

/// Walks the calibration windows through all layers, in order. Half of the training windows pass the dense
/// model, the others the layers as they were fitted, so that later layers can mend what earlier ones do. In
/// every layer that `policy` gives a k:
///  - the router becomes a linear one, with a bias where the class has it: ridge regression of the run's
///    routing weights on the layer's inputs;
///  - shared neurons become experts where the class has no shared expert. Their routing weights are the norms
///    of what they add, and k counts them;
///  - down projections are solved in closed form for the dense FFN's outputs, with the class's own choice and
///    mixing weights: W = W0 + (AᵀA + Λ)⁻¹ Aᵀ (Y - A W0) (convert/refit.h), A = [shared h, w_i h_i].
/// `keep` gets every layer as the class computes it, rounded to `storage`: with the run's down projections,
/// and with those that were solved for. Takes as much memory as stage 1. Precondition:
/// objection(target.in_transformers, policy) has none.
void fit_for_class(const MoeClass& target, const WeightSource& source, const MoeLayers& moe,
                   const ModelPolicy& policy, const Recipe& recipe, const Windows& calibration,
                   at::ScalarType storage,
                   const std::function<void(int layer, const FittedLayer& fitted)>& keep,
                   const Context& context);

}  // namespace ladimo
