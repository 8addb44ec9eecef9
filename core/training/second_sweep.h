// The second sweep (docs/method.md "The second sweep, optional") refits every layer once more. Half of the
// calibration windows then reach it through the converted model instead of the dense one.
#pragma once

#include "base/context.h"
#include "model/weight_source.h"
#include "run/layer_store.h"
#include "run/recipe.h"
#include "text/corpus.h"

namespace ladimo {

/// Walks through all layers in order. Half of the training windows pass the dense model. The other half and
/// all held-back windows pass the converted model in its present state, each at one of the recipe's levels.
/// Down projection and compensation (or the bias in its place) are refitted to the dense FFN's outputs for
/// these inputs. A layer is kept where that lowers the error on held-back windows. Layers that the store
/// already holds are not fitted again. Takes as much memory as stage 1. Precondition: stage 1 is done.
void sweep_again(const WeightSource& source, const LayerStore& store, const Recipe& recipe,
                 const Windows& calibration, const Context& context);

}  // namespace ladimo
