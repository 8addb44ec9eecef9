// The second sweep (docs/method.md "The second sweep"): refits every layer once more. Half of the calibration
// windows then reach it through the converted model instead of the dense one.
#pragma once

#include "base/context.h"
#include "model/weight_source.h"
#include "run/layer_store.h"
#include "run/recipe.h"
#include "text/corpus.h"

namespace ladimo {

/// Walks all layers in order with a residual stream in which half of the training windows go through the
/// dense model and half, with all held-back ones, through the converted model as it is by then, each at one
/// of the recipe's levels. Down projection and compensation (or the bias in its place) are refitted to the
/// dense FFN's outputs for these inputs; a layer is kept where that lowers the error on held-back windows.
/// What the store holds already is not made again. Precondition: stage 1 is done.
/// Memory as stage 1.
void sweep_again(const WeightSource& source, const LayerStore& store, const Recipe& recipe,
                 const Windows& calibration, const Context& context);

}  // namespace ladimo
