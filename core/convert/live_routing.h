// The routing weights of the layer that is being converted, for the user who watches the conversion.
#pragma once

#include <chrono>

#include <ATen/core/Tensor.h>

#include "base/context.h"

namespace ladimo {

/// Adds up batches of routing weights and emits a HistogramEvent of all batches so far, at most five a
/// second.
class LiveRouting {
 public:
  /// `threshold` is the layer's middle threshold, at which the expert load is counted.
  LiveRouting(const Context& context, int layer, double threshold)
      : context_(context), layer_(layer), threshold_(threshold) {}

  /// routing_weights [T, E] of rows that were not added before.
  void add(const at::Tensor& routing_weights);
  /// Emits what has not been emitted yet.
  void finish();

 private:
  void emit();

  const Context& context_;
  int layer_;
  double threshold_;
  std::vector<std::int64_t> counts_;
  at::Tensor on_;  // [E] rows for which the expert is on
  std::int64_t rows_ = 0;
  std::vector<at::Tensor> pending_;  // not counted yet: on a GPU, counting waits for the work before it
  std::chrono::steady_clock::time_point emitted_{};
};

}  // namespace ladimo
