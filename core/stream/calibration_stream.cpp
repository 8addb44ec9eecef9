#include "stream/calibration_stream.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace ladimo {
namespace {

/// x [c, W, d] -> FFN(x) [c, W, d].
at::Tensor output(const FeedForward& ffn, const at::Tensor& x) {
  return ffn.forward(x.flatten(0, 1)).y.view(x.sizes());
}

}  // namespace

CalibrationStream::CalibrationStream(const WeightSource& source, const Windows& windows,
                                     double validation_share)
    : source_(source), order_(windows.count(), validation_share) {
  const auto ids =
      at::tensor(windows.tokens).view({windows.count(), windows.window}).index_select(0, order_.index);
  h_ = source.embedding()
           .index_select(0, ids.to(source.device(), at::kLong).flatten())
           .view({windows.count(), windows.window, -1});
}

CalibrationRows CalibrationStream::advance(const DecoderLayer& layer, bool want_rows,
                                           const Context& context) {
  auto rows = empty_rows(want_rows);
  for_chunks(windows(), chunk_windows(), [&](auto begin, auto end) {
    context.check();
    const auto attended = layer.attend(h_.slice(0, begin, end), source_.rotary());
    const auto x = layer.ffn_input(attended);
    const auto y = output(*layer.ffn, x);
    if (want_rows) keep(rows, begin, x, y);
    h_.slice(0, begin, end).copy_(attended + y);
  });
  return rows;
}

CalibrationRows CalibrationStream::attend(const DecoderLayer& layer, bool want_rows, const Context& context) {
  auto rows = empty_rows(want_rows);
  for_chunks(windows(), chunk_windows(), [&](auto begin, auto end) {
    context.check();
    auto h = h_.slice(0, begin, end);
    h.copy_(layer.attend(h, source_.rotary()));
    if (!want_rows) return;
    const auto x = layer.ffn_input(h);
    keep(rows, begin, x, output(*layer.ffn, x));
  });
  return rows;
}

void CalibrationStream::feed_forward(const DecoderLayer& layer, std::int64_t begin, std::int64_t end,
                                     const std::vector<std::shared_ptr<const FeedForward>>& ffns,
                                     const Context& context) {
  const auto dealt = static_cast<std::int64_t>(ffns.size());
  for (std::int64_t i = 0; i < dealt; ++i) {
    const auto own = h_.slice(0, std::min(begin + i, end), end, dealt);
    for_chunks(own.size(0), chunk_windows(), [&](auto first, auto last) {
      context.check();
      auto h = own.slice(0, first, last);
      h.add_(output(*ffns[static_cast<std::size_t>(i)], layer.ffn_input(h)));
    });
  }
}

CalibrationRows CalibrationStream::empty_rows(bool want_rows) const {
  CalibrationRows rows;
  rows.training = order_.training * (h_.size(1) - 1);
  if (want_rows) {
    rows.x = at::empty({windows() * (h_.size(1) - 1), h_.size(2)}, h_.options());
    rows.y = at::empty_like(rows.x);
  }
  return rows;
}

void CalibrationStream::keep(CalibrationRows& rows, std::int64_t begin, const at::Tensor& x,
                             const at::Tensor& y) const {
  const auto per_window = h_.size(1) - 1, end = begin + x.size(0);
  rows.x.slice(0, begin * per_window, end * per_window).copy_(x.slice(1, 1).flatten(0, 1));
  rows.y.slice(0, begin * per_window, end * per_window).copy_(y.slice(1, 1).flatten(0, 1));
}

std::int64_t CalibrationStream::chunk_windows() const {
  return std::max<std::int64_t>(1, chunk_rows(source_.config().intermediate_size) / h_.size(1));
}

}  // namespace ladimo
