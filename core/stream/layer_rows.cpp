#include "stream/layer_rows.h"

#include <utility>

#include <ATen/ATen.h>

#include "model/weight_source.h"

namespace ladimo {

LayerRows::LayerRows(RowStore x, RowStore y, std::int64_t training)
    : x_(std::move(x)), y_(std::move(y)), count_(x_.count()), training_(training) {}

LayerRows::LayerRows(at::Tensor x, at::Tensor y, std::int64_t training)
    : LayerRows(RowStore(std::move(x)), RowStore(std::move(y)), training) {}

at::Tensor LayerRows::read(const RowStore& store, std::int64_t begin, std::int64_t end) const {
  return index_.defined() ? store.gather(index_.slice(0, begin, end))
                          : store.read(first_ + begin, first_ + end);
}

at::Tensor LayerRows::gather(const RowStore& store, const at::Tensor& index) const {
  return store.gather(index_.defined() ? index_.index_select(0, index.to(at::kCPU)) : index + first_);
}

LayerRows LayerRows::train() const {
  LayerRows part = *this;
  part.count_ = training_;
  if (index_.defined()) part.index_ = index_.slice(0, 0, training_);
  return part;
}

LayerRows LayerRows::validation() const {
  LayerRows part = *this;
  part.first_ += training_;
  part.count_ -= training_;
  part.training_ = 0;
  if (index_.defined()) part.index_ = index_.slice(0, training_);
  return part;
}

LayerRows LayerRows::picked(const at::Tensor& index, std::int64_t training) const {
  LayerRows part = *this;
  part.index_ = index_.defined() ? index_.index_select(0, index) : index + first_;
  part.count_ = index.numel();
  part.training_ = training;
  return part;
}

LayerRows LayerRows::thinned(std::int64_t training) const {
  if (training_ <= training) return *this;
  const auto stride = (training_ + training - 1) / training;
  const auto fitted = at::arange(0, training_, stride, at::kLong);
  return picked(at::cat({fitted, at::arange(training_, count_, at::kLong)}), fitted.numel());
}

RowCapture::RowCapture(const WeightSource& source, std::int64_t windows, std::int64_t training,
                       std::int64_t positions, const Context& context)
    : positions_(positions), training_(training * (positions - 1)) {
  const auto store = [&] {
    return RowStore(windows * (positions - 1), {source.config().hidden_size},
                    at::TensorOptions(source.dtype()).device(source.device()), source.stream_dtype(),
                    context.memory());
  };
  x_ = store();
  y_ = store();
}

void RowCapture::keep(std::int64_t begin, const at::Tensor& x, const at::Tensor& y) {
  const auto but_first = [&](const at::Tensor& t) {
    return t.view({-1, positions_, t.size(1)}).slice(1, 1).flatten(0, 1);
  };
  x_.write(begin * (positions_ - 1), but_first(x));
  y_.write(begin * (positions_ - 1), but_first(y));
}

LayerRows RowCapture::rows() const { return {x_, y_, training_}; }

}  // namespace ladimo
