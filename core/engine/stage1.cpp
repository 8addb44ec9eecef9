#include "engine/stage1.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <ATen/ATen.h>

#include "base/files.h"
#include "base/hash.h"
#include "convert/layer_conversion.h"
#include "engine/timing_log.h"

namespace ladimo {
namespace {

/// The stored dtype of converted layers: fp32 originals stay fp32, everything else is bf16.
at::ScalarType storage_dtype(const Checkpoint& checkpoint) {
  return checkpoint.tensor(Role::gate).dtype == DType::f32 ? at::kFloat : at::kBFloat16;
}

/// Windows in the order training first, validation last; validation takes every n-th window, so that it has
/// the same mix of sources.
struct WindowOrder {
  at::Tensor index;  // [count] int64
  std::int64_t training = 0;

  WindowOrder(std::int64_t count, double validation_share) {
    const auto every = std::max<std::int64_t>(2, std::lround(1 / validation_share));
    std::vector<std::int64_t> order, validation;
    for (std::int64_t w = 0; w < count; ++w) (w % every == every - 1 ? validation : order).push_back(w);
    if (validation.empty()) validation.push_back(order.back()), order.pop_back();
    training = static_cast<std::int64_t>(order.size());
    order.insert(order.end(), validation.begin(), validation.end());
    index = at::tensor(order);
  }
};

/// The residual stream of all calibration windows, layer by layer, and what the layer at work is fitted on.
class CalibrationStream {
 public:
  CalibrationStream(const WeightSource& source, const Windows& windows, double validation_share)
      : source_(source), order_(windows.count(), validation_share) {
    const auto ids =
        at::tensor(windows.tokens).view({windows.count(), windows.window}).index_select(0, order_.index);
    h_ = source.embedding()
             .index_select(0, ids.to(source.device(), at::kLong).flatten())
             .view({windows.count(), windows.window, -1});
  }

  /// Goes through `layer`; the rows are left for fitting.
  CalibrationRows advance(const DecoderLayer& layer, bool want_rows, const Context& context) {
    const auto n = h_.size(0), w = h_.size(1), d = h_.size(2);
    CalibrationRows rows;
    rows.training = order_.training * (w - 1);
    if (want_rows) {
      rows.x = at::empty({n * (w - 1), d}, h_.options());
      rows.y = at::empty_like(rows.x);
    }
    for_chunks(n, std::max<std::int64_t>(1, chunk_rows(source_.config().intermediate_size) / w),
               [&](auto begin, auto end) {
                 context.check();
                 const auto attended = layer.attend(h_.slice(0, begin, end), source_.rotary());
                 const auto x = layer.ffn_input(attended);
                 const auto y = layer.ffn->forward(x.flatten(0, 1)).y.view_as(x);
                 if (want_rows) {
                   rows.x.slice(0, begin * (w - 1), end * (w - 1)).copy_(x.slice(1, 1).flatten(0, 1));
                   rows.y.slice(0, begin * (w - 1), end * (w - 1)).copy_(y.slice(1, 1).flatten(0, 1));
                 }
                 h_.slice(0, begin, end).copy_(attended + y);
               });
    return rows;
  }

 private:
  const WeightSource& source_;
  WindowOrder order_;
  at::Tensor h_;  // [n, W, d]
};

}  // namespace

int convert_layers(const WeightSource& source, const RunFolder& run, const Recipe& recipe,
                   const Windows& calibration, const Context& context) {
  const auto storage = storage_dtype(source.checkpoint());
  std::set<int> pending;
  for (const int layer : recipe.layers)
    if (!run.layer_intact(layer)) pending.insert(layer);
  const auto resumed = static_cast<int>(recipe.layers.size() - pending.size());
  if (pending.empty()) return resumed;

  CalibrationStream stream(source, calibration, recipe.stage1.validation_share);
  const TimingLog timing(run);
  Progress progress(context, static_cast<std::int64_t>(pending.size()));
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
    timing.add("layers", std::to_string(l), watch.seconds());
    context.emit(LayerEvent{l, converted.record.loss_before, converted.record.loss_after, watch.seconds()});
    progress.advance();
  }
  return resumed;
}

}  // namespace ladimo
