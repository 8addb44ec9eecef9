#include "convert/live_routing.h"

#include <algorithm>
#include <functional>
#include <utility>

#include <ATen/ATen.h>

#include "model/routing_weights.h"

namespace ladimo {

void LiveRouting::add(const at::Tensor& routing_weights) {
  if (routing_weights.size(0) == 0) return;
  pending_.push_back(routing_weights);
  if (std::chrono::steady_clock::now() - emitted_ >= std::chrono::milliseconds(200)) emit();
}

void LiveRouting::finish() {
  if (!pending_.empty()) emit();
}

void LiveRouting::emit() {
  const auto routing_weights = at::cat(std::exchange(pending_, {}));
  const auto counts = count_weights(routing_weights);
  counts_.resize(counts.size());
  std::transform(counts.begin(), counts.end(), counts_.begin(), counts_.begin(), std::plus<>());
  const auto on = (routing_weights >= threshold_).sum(0).to(at::kCPU, at::kDouble);
  on_ = on_.defined() ? on_ + on : on;
  rows_ += routing_weights.size(0);
  const auto load = on_ / static_cast<double>(rows_);
  context_.emit(
      HistogramEvent{layer_, counts_, {load.data_ptr<double>(), load.data_ptr<double>() + load.numel()}});
  emitted_ = std::chrono::steady_clock::now();
}

}  // namespace ladimo
