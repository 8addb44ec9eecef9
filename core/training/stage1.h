// Stage 1 over all layers. The dense model's residual stream passes the calibration windows through the
// layers once, and every layer that is not on disk yet is converted on the way.
#pragma once

#include "base/context.h"
#include "model/weight_source.h"
#include "run/run_folder.h"
#include "text/corpus.h"

namespace ladimo {

/// Converts the recipe's layers into the run folder. Takes memory for the residual stream and one layer's
/// rows (both spilled when the context's memory budget has no room), for that layer's weights and for fitting
/// them. Returns the number of layers that were already done.
int convert_layers(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                   const Windows& calibration, const Context& context);

}  // namespace ladimo
