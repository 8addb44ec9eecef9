// The dense model's residual stream over the calibration windows, layer by layer.
#pragma once

#include "base/context.h"
#include "convert/calibration_rows.h"
#include "convert/window_order.h"
#include "model/weight_source.h"
#include "text/corpus.h"

namespace ladimo {

/// The residual stream of all calibration windows, layer by layer, and what the layer at work is fitted on.
/// Training windows come first in the rows.
class CalibrationStream {
 public:
  CalibrationStream(const WeightSource& source, const Windows& windows, double validation_share);

  /// Goes through `layer`; the rows are left for fitting.
  CalibrationRows advance(const DecoderLayer& layer, bool want_rows, const Context& context);

 private:
  const WeightSource& source_;
  WindowOrder order_;
  at::Tensor h_;  // [n, W, d]
};

}  // namespace ladimo
