// Stage 1 for one layer: partition, router, compensation, refit, distillation.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/context.h"
#include "base/work.h"
#include "model/moe_layer.h"
#include "run/recipe.h"
#include "run/run_folder.h"
#include "stream/layer_rows.h"

namespace ladimo {

struct ConvertedLayer {
  MoeWeights weights;                 // rounded to the dtype they are stored in
  LayerRecord record;                 // complete except for the hash
  std::map<std::string, Work> parts;  // what each part of the work took
};

/// Converts one FFN. `ffn` is released once it is sliced, so that its memory is free during the fit unless
/// the caller holds it too. `storage` is the dtype of the weights in the file. Losses are measured with the
/// rounded weights.
ConvertedLayer convert_layer(std::shared_ptr<const DenseFfn> ffn, const LayerRows& rows, const Recipe& recipe,
                             int layer, at::ScalarType storage, const Context& context);

}  // namespace ladimo
