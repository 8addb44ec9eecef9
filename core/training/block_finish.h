// The finish for models whose gradients do not fit into memory: it trains a few layers at a time
// (docs/method.md "The finish, block by block").
#pragma once

#include <functional>
#include <vector>

#include "base/context.h"
#include "model/moe_layers.h"
#include "model/weight_source.h"
#include "run/recipe.h"
#include "text/corpus.h"

namespace ladimo {

/// Trains gate, up, down, compensation and router of `recipe.layers`, `finish.block` consecutive layers of
/// the model at a time. The inputs of a block are the hidden states of the converted model, and the targets
/// are those of the dense model behind the block. Every window is at one position of the slider in all
/// blocks. With `finish.shift` the layers learn to move along the slider (model/moe_layer.h). Weights are
/// rounded to `storage` before they are judged. `keep` receives the layers of every block that got better on
/// validation windows.
///
/// Returns one number for every block with converted layers, on validation windows: the mean of ln(error /
/// error before), or 0 where the block stays as it was. Holds one block with its gradients, beside two
/// residual streams. The same seed gives the same bytes where the streams are kept in the same place, memory
/// or scratch file: rounding differs between the two. Throws Interrupted.
std::vector<double> finish_by_blocks(const WeightSource& source, const MoeLayers& moe, const Recipe& recipe,
                                     const Windows& calibration, at::ScalarType storage,
                                     const std::function<void(int layer, const MoeWeights& weights)>& keep,
                                     const Context& context);

}  // namespace ladimo
