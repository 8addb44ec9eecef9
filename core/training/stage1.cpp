#include "training/stage1.h"

#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "convert/layer_conversion.h"
#include "run/timing_log.h"
#include "stream/walk.h"
#include "stream/window_order.h"

namespace ladimo {

int convert_layers(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                   const Windows& calibration, const Context& context) {
  const LayerStore& store = run.layers();
  const auto storage = storage_dtype(source.checkpoint());
  std::set<int> pending;
  for (const int layer : recipe.layers)
    if (!store.intact(layer)) pending.insert(layer);
  const auto resumed = static_cast<int>(recipe.layers.size() - pending.size());
  if (pending.empty()) return resumed;

  const WindowOrder order(calibration.count(), recipe.stage1.validation_share);
  auto stream = ResidualStream::embedded(source, order.all(calibration), context);
  Progress progress(context, static_cast<std::int64_t>(pending.size()));
  progress.advance(0);
  std::optional<WorkMeter> meter;
  std::optional<RowCapture> capture;
  const auto convert = [&](int l, std::shared_ptr<const FeedForward> dense) {
    const auto claim = store.claim(l);
    if (!claim)
      throw Refusal(fmt::format("Another process is converting layer {} of this run.", l), "Wait for it.",
                    run.path());
    const auto rows = capture->rows();
    capture.reset();
    const Work passing = meter->work();
    auto converted = convert_layer(std::dynamic_pointer_cast<const DenseFfn>(std::move(dense)), rows, recipe,
                                   l, storage, context);
    store.put(converted.record,
              [&](const auto& file) { save_moe_weights(file, converted.weights, storage); });
    const double seconds = meter->seconds();
    converted.parts["passing"] = passing;
    add_work(run, l, seconds, converted.parts);
    context.emit(LayerEvent{l, converted.record.loss_before, converted.record.loss_after, seconds});
    progress.advance();
  };
  Walk how;
  how.layers = *pending.rbegin() + 1;
  how.enter = [&](std::int64_t l, const DecoderLayer&) {
    meter.emplace();
    if (pending.contains(static_cast<int>(l)))
      capture.emplace(source, stream.windows(), order.training, stream.positions(), context);
  };
  how.see = [&](const LayerChunk& chunk) {
    if (capture) capture->keep(chunk.begin, chunk.x, chunk.y);
  };
  how.leave = [&](std::int64_t l, DecoderLayer layer) {
    auto dense = std::exchange(layer, {}).ffn;  // fitting needs the memory of all else
    if (capture) convert(static_cast<int>(l), std::move(dense));
  };
  walk(source, stream, how, context);
  return resumed;
}

}  // namespace ladimo
