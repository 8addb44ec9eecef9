#include "convert/contributions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>

namespace ladimo {

MoeWeights slice_ffn(const DenseFfn& ffn, const Partition& partition) {
  const auto order = at::tensor(partition.permutation).to(ffn.gate.device());
  MoeWeights weights;
  weights.gate = ffn.gate.index_select(0, order);
  weights.up = ffn.up.index_select(0, order);
  weights.down = ffn.down.t().index_select(0, order);
  if (ffn.gate_bias.defined()) {
    weights.gate_bias = ffn.gate_bias.index_select(0, order);
    weights.up_bias = ffn.up_bias.index_select(0, order);
    weights.down_bias = ffn.down_bias;
  }
  weights.shared_neurons = partition.shared_neurons;
  const auto routed = (ffn.gate.size(0) - partition.shared_neurons) / partition.expert_neurons;
  weights.router = at::zeros({routed, ffn.gate.size(1)}, ffn.gate.options());
  weights.router_bias = at::zeros({routed}, ffn.gate.options());
  weights.compensation = at::zeros({routed, ffn.gate.size(1)}, ffn.gate.options());
  weights.permutation = order;
  return weights;
}

ContributionNorms::ContributionNorms(const MoeWeights& weights, const HiddenStatistics& statistics,
                                     bool replaced)
    : weights_(weights), unit_(statistics.output_norm) {
  mean_ = weights.routed_part(statistics.mean.index_select(0, weights.permutation).unsqueeze(0));
  if (!replaced) mean_.zero_();
  const auto down =
      weights.down.slice(0, weights.shared_neurons).view({weights.routed(), weights.expert_neurons(), -1});
  gram_ = at::bmm(down, down.transpose(1, 2));
}

at::Tensor ContributionNorms::operator()(const at::Tensor& h) const {
  const auto centred = (weights_.routed_part(h) - mean_).transpose(0, 1).contiguous();  // [E, T, m]
  return (at::bmm(centred, gram_) * centred).sum(2).clamp_min(0).sqrt().t() / unit_;
}

at::Tensor route_rows(const MoeWeights& weights, const LayerRows& rows, const Context& context) {
  return in_chunks(rows.count(), chunk_rows(weights.neurons()), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    return weights.route(rows.x(begin, end));
  });
}

at::Tensor conditional_compensation(const MoeWeights& weights, const LayerRows& rows,
                                    const at::Tensor& routing_weights, const std::vector<double>& thresholds,
                                    const Context& context) {
  const auto experts = weights.routed(), m = weights.expert_neurons();
  auto sum = at::zeros({experts, m}, weights.gate.options());
  auto skipped = at::zeros({experts}, weights.gate.options());
  auto all = at::zeros({experts, m}, weights.gate.options());
  for_chunks(rows.count(), chunk_rows(weights.neurons()), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto h = weights.routed_part(weights.hidden(rows.x(begin, end)));  // [c, E, m]
    all += h.sum(0);
    for (const double threshold : thresholds) {
      const auto off = (routing_weights.slice(0, begin, end) < threshold).to(at::kFloat);  // [c, E]
      sum += (h * off.unsqueeze(2)).sum(0);
      skipped += off.sum(0);
    }
  });
  const auto never = (skipped < 1).unsqueeze(1);
  const auto mean_hidden =
      at::where(never, all / static_cast<double>(rows.count()), sum / skipped.clamp_min(1).unsqueeze(1));
  const auto down = weights.down.slice(0, weights.shared_neurons).view({experts, m, -1});
  return at::bmm(mean_hidden.unsqueeze(1), down).squeeze(1);
}

std::vector<double> elastic_errors(const MoeWeights& weights, const LayerRows& rows,
                                   const at::Tensor& routing_weights, const std::vector<double>& thresholds,
                                   double variance, const Context& context) {
  std::vector<at::Tensor> sums(thresholds.size(), at::zeros({}, rows.options().dtype(at::kDouble)));
  for_chunks(rows.count(), chunk_rows(weights.neurons()), [&](std::int64_t begin, std::int64_t end) {
    context.check();
    const auto h = weights.hidden(rows.x(begin, end));
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
      const auto y = weights.combine(h, routing_weights.slice(0, begin, end) >= thresholds[i]);
      sums[i] = sums[i] + (y - rows.y(begin, end)).square().sum();
    }
  });
  std::vector<double> errors;
  for (const at::Tensor& sum : sums)
    errors.push_back(sum.item<double>() / (variance * static_cast<double>(rows.count())));
  return errors;
}

double mean_error(const std::vector<double>& errors) {
  return std::accumulate(errors.begin(), errors.end(), 0.0) / static_cast<double>(errors.size());
}

double mean_log_error(const std::vector<double>& errors) {
  double sum = 0;
  for (const double error : errors) sum += std::log(std::max(error, 1e-9));
  return sum / static_cast<double>(errors.size());
}

}  // namespace ladimo
