#include "convert/hidden_statistics.h"

#include <vector>

#include <ATen/ATen.h>

namespace ladimo {
namespace {

// Outputs below it are constant. Their inverse variance would not fit fp32, which losses are in.
constexpr double least_variance = 1e-30;

}  // namespace

at::Tensor HiddenStatistics::energy() const { return square * down_norm.square(); }

HiddenStatistics measure_hidden(const DenseFfn& ffn, const LayerRows& rows, const Context& context) {
  const auto f = ffn.gate.size(0);
  const auto wide = ffn.gate.options().dtype(at::kDouble);
  auto sum = at::zeros({f}, wide);
  auto square = at::zeros({f}, wide);
  std::vector<at::Tensor> norms;
  for_chunks(rows.count(), chunk_rows(f), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto h = ffn.hidden(rows.x(begin, end));
    sum += h.sum(0);
    square += h.square().sum(0);
    norms.push_back(rows.y(begin, end).norm(2, 1));
  });
  const auto count = static_cast<double>(rows.count());
  HiddenStatistics statistics;
  statistics.mean = (sum / count).to(at::kFloat);
  statistics.square = (square / count).to(at::kFloat);
  statistics.down_norm = ffn.down.norm(2, 0);
  const double norm = at::cat(norms).mean().item<double>();
  statistics.output_norm = norm * norm > least_variance ? norm : 1;
  const double variance = output_variance(rows, context);
  statistics.output_variance = variance > least_variance ? variance : 1;
  return statistics;
}

double output_variance(const LayerRows& rows, const Context& context) {
  const auto chunk = chunk_rows(rows.hidden_size());
  auto sum = at::zeros({rows.hidden_size()}, rows.options().dtype(at::kDouble));
  for_chunks(rows.count(), chunk, [&](std::int64_t begin, std::int64_t end) {
    context.check();
    sum += rows.y(begin, end).sum(0, /*keepdim=*/false, at::kDouble);
  });
  const auto mean = (sum / static_cast<double>(rows.count())).to(at::kFloat);
  const auto distances = in_chunks(rows.count(), chunk, [&](std::int64_t begin, std::int64_t end) {
    context.check();
    return (rows.y(begin, end) - mean).square().sum(1);
  });
  return distances.mean().item<double>();
}

}  // namespace ladimo
