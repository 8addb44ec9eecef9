#include "commands/partition_sample.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "convert/partition.h"
#include "model/weight_source.h"

namespace ladimo {

SampleEvent sample_partition(const Plan& plan, int layer, const Runtime& runtime, const Context& context) {
  const Recipe& recipe = plan.recipe;
  if (!std::binary_search(recipe.layers.begin(), recipe.layers.end(), layer))
    throw Refusal("Layer " + std::to_string(layer) + " is not among the layers to convert.",
                  "Set {sample} to one of the layers that {layers} names.");
  if (recipe.self_text())
    throw Refusal("A partition cannot be drawn yet: the model has not written its text.",
                  "To see one, name text files with {text}.");
  const WeightSource source(Checkpoint::open(recipe.model), runtime.device, at::kFloat);
  const Windows& windows = plan.text.calibration;
  const auto n = std::min(windows.count(), recipe.stage1.feature_tokens / windows.window + 1);
  const auto ids = at::tensor(windows.tokens).slice(0, 0, n * windows.window).to(runtime.device, at::kLong);
  auto h = source.embedding().index_select(0, ids).view({n, windows.window, -1});
  for (int l = 0;; ++l) {
    context.check();
    const auto current = source.layer(l);
    h = current.attend(h, source.rotary());
    const auto x = current.ffn_input(h);
    const auto y = current.ffn->forward(x.flatten(0, 1)).y.view_as(h);
    if (l < layer) {
      h = h + y;
      continue;
    }
    const auto& ffn = dynamic_cast<const DenseFfn&>(*current.ffn);
    CalibrationRows rows{x.slice(1, 1).flatten(0, 1), y.slice(1, 1).flatten(0, 1), 0};
    const auto statistics = measure_hidden(ffn, rows, context);
    const Random random(recipe.seed, "partition", static_cast<std::uint64_t>(layer));
    return {layer, partition_neurons(ffn, statistics, rows.x, recipe, random, context).owners()};
  }
}

}  // namespace ladimo
