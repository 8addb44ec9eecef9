// Stage 1 over all layers: the dense model's residual stream runs through the calibration windows once, and
// every layer that is not on disk yet is converted on the way.
#pragma once

#include "base/context.h"
#include "model/weight_source.h"
#include "run/run_folder.h"
#include "text/corpus.h"

namespace ladimo {

/// The stored dtype of converted layers: fp32 originals stay fp32, everything else is bf16.
at::ScalarType storage_dtype(const Checkpoint& checkpoint);

/// Converts the recipe's layers into the run folder. Memory: the residual stream and one layer's rows,
/// weights and normal equations. Returns how many layers were found done.
int convert_layers(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                   const Windows& calibration, const Context& context);

}  // namespace ladimo
