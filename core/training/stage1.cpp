#include "training/stage1.h"

#include <set>

#include "base/files.h"
#include "base/hash.h"
#include "convert/layer_conversion.h"
#include "run/timing_log.h"
#include "stream/calibration_stream.h"

namespace ladimo {
at::ScalarType storage_dtype(const Checkpoint& checkpoint) {
  return checkpoint.tensor(Role::gate).dtype == DType::f32 ? at::kFloat : at::kBFloat16;
}

int convert_layers(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                   const Windows& calibration, const Context& context) {
  const auto storage = storage_dtype(source.checkpoint());
  std::set<int> pending;
  for (const int layer : recipe.layers)
    if (!run.layer_intact(layer)) pending.insert(layer);
  const auto resumed = static_cast<int>(recipe.layers.size() - pending.size());
  if (pending.empty()) return resumed;

  CalibrationStream stream(source, calibration, recipe.stage1.validation_share);
  Progress progress(context, static_cast<std::int64_t>(pending.size()));
  progress.advance(0);
  for (int l = 0; l <= *pending.rbegin(); ++l) {
    const Stopwatch watch;
    const auto layer = source.layer(l);
    const auto rows = stream.advance(layer, pending.contains(l), context);
    if (!pending.contains(l)) continue;
    const auto& ffn = dynamic_cast<const DenseFfn&>(*layer.ffn);
    auto converted = convert_layer(ffn, rows, recipe, l, storage, context);
    save_moe_weights(run.layer_weights(l), converted.weights, storage);
    converted.record.hash = hash_hex(read_file(run.layer_weights(l)));
    run.write_record(converted.record);
    add_seconds(run, l, watch.seconds());
    context.emit(LayerEvent{l, converted.record.loss_before, converted.record.loss_after, watch.seconds()});
    progress.advance();
  }
  return resumed;
}

}  // namespace ladimo
