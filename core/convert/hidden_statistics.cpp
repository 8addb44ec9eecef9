#include "convert/hidden_statistics.h"

#include <ATen/ATen.h>

namespace ladimo {

at::Tensor HiddenStatistics::energy() const { return square * down_norm.square(); }

HiddenStatistics measure_hidden(const DenseFfn& ffn, const CalibrationRows& rows, const Context& context) {
  const auto f = ffn.gate.size(0);
  const auto wide = ffn.gate.options().dtype(at::kDouble);
  auto sum = at::zeros({f}, wide);
  auto square = at::zeros({f}, wide);
  for_chunks(rows.count(), chunk_rows(f), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto h = ffn.hidden(rows.x.slice(0, begin, end));
    sum += h.sum(0);
    square += h.square().sum(0);
  });
  const auto count = static_cast<double>(rows.count());
  HiddenStatistics statistics;
  statistics.mean = (sum / count).to(at::kFloat);
  statistics.square = (square / count).to(at::kFloat);
  statistics.down_norm = ffn.down.norm(2, 0);
  statistics.output_norm = rows.y.norm(2, 1).mean().item<double>();
  statistics.output_variance = (rows.y - rows.y.mean(0)).square().sum(1).mean().item<double>();
  return statistics;
}

}  // namespace ladimo
