#include "engine/calibration_stream.h"

#include <algorithm>

#include <ATen/ATen.h>

namespace ladimo {

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

}  // namespace ladimo
