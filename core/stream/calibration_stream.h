// The residual stream over the calibration windows, layer by layer.
#pragma once

#include <memory>
#include <vector>

#include "base/context.h"
#include "stream/calibration_rows.h"
#include "stream/window_order.h"
#include "model/weight_source.h"
#include "text/corpus.h"

namespace ladimo {

/// The residual stream of all calibration windows, and what the layer at work is fitted on: FFN inputs and
/// the dense FFN's outputs for them. Windows, and so rows, come training first.
class CalibrationStream {
 public:
  CalibrationStream(const WeightSource& source, const Windows& windows, double validation_share);

  std::int64_t windows() const { return h_.size(0); }
  std::int64_t training_windows() const { return order_.training; }

  /// Goes through `layer` as it is; the rows are left for fitting.
  CalibrationRows advance(const DecoderLayer& layer, bool want_rows, const Context& context);

  /// The same in two halves, for a layer that something else than its own FFN follows. First through the
  /// attention, with the rows ...
  CalibrationRows attend(const DecoderLayer& layer, bool want_rows, const Context& context);
  /// ... then windows `begin` to `end` through `ffns`, dealt round robin.
  void feed_forward(const DecoderLayer& layer, std::int64_t begin, std::int64_t end,
                    const std::vector<std::shared_ptr<const FeedForward>>& ffns, const Context& context);

 private:
  CalibrationRows empty_rows(bool want_rows) const;
  /// Keeps what the FFN makes of windows `begin`, ...; window position 0 is left out. x, y [c, W, d].
  void keep(CalibrationRows& rows, std::int64_t begin, const at::Tensor& x, const at::Tensor& y) const;
  std::int64_t chunk_windows() const;

  const WeightSource& source_;
  WindowOrder order_;
  at::Tensor h_;  // [n, W, d]
};

}  // namespace ladimo
