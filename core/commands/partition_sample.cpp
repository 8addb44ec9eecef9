#include "commands/partition_sample.h"

#include <algorithm>

#include "commands/opened_model.h"
#include "convert/partition.h"
#include "model/weight_source.h"
#include "stream/layer_rows.h"
#include "stream/walk.h"

namespace ladimo {

SampleEvent sample_partition(const Plan& plan, int layer, const Runtime& runtime, const Context& context) {
  const Recipe& recipe = plan.recipe;
  if (!std::binary_search(recipe.layers.begin(), recipe.layers.end(), layer))
    throw Refusal("Layer " + std::to_string(layer) + " is not among the layers to convert.",
                  "Set {sample} to one of the layers that {layers} names.");
  if (recipe.self_text())
    throw Refusal("A partition cannot be drawn yet: the model has not written its text.",
                  "To see one, choose text files with {text}.");
  const WeightSource source(Checkpoint::open(recipe.model), runtime.device, at::kFloat,
                            {.stream = stream_dtype(recipe)});
  const Windows& calibration = plan.text.calibration;
  const auto count = std::min(calibration.count(), recipe.stage1.feature_tokens / calibration.window + 1);
  Windows windows = calibration;  // its first `count` windows
  windows.tokens.resize(static_cast<std::size_t>(count * calibration.window));
  windows.source.resize(static_cast<std::size_t>(count));
  auto stream = ResidualStream::embedded(source, windows, context);
  RowCapture capture(source, count, 0, windows.window, context);
  SampleEvent sample{layer, {}};
  Walk how;
  how.layers = layer + 1;
  how.see = [&](const LayerChunk& chunk) {
    if (chunk.layer == layer) capture.keep(chunk.begin, chunk.x, chunk.y);
  };
  how.leave = [&](std::int64_t l, const DecoderLayer& weights) {
    if (l != layer) return;
    const auto& ffn = dynamic_cast<const DenseFfn&>(*weights.ffn);
    const auto rows = capture.rows();
    const Random random(recipe.seed, "partition", static_cast<std::uint64_t>(layer));
    sample.partition =
        partition_neurons(ffn, measure_hidden(ffn, rows, context), rows, recipe, random, context).owners();
  };
  walk(source, stream, how, context);
  return sample;
}

}  // namespace ladimo
