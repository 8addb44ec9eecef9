// Stage 1 over all layers: the dense model's residual stream runs through the calibration windows once, and
// every layer that is not on disk yet is converted on the way.
#pragma once

#include "base/context.h"
#include "model/weight_source.h"
#include "run/run_folder.h"
#include "text/corpus.h"

namespace ladimo {

/// Converts the recipe's layers into the run folder. Memory: the residual stream and one layer's rows (both
/// spilled where the context's memory does not suffice), that layer's weights and what fitting them takes.
/// Returns how many layers were found done.
int convert_layers(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                   const Windows& calibration, const Context& context);

}  // namespace ladimo
