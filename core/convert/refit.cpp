#include "convert/refit.h"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "convert/ridge.h"

namespace ladimo {

MoeWeights refit(const MoeWeights& weights, const LayerRows& rows, const at::Tensor& routing_weights,
                 const std::vector<double>& thresholds, const std::vector<double>& errors, double ridge,
                 const Context& context) {
  const auto f = weights.neurons(), d = weights.hidden_size();
  const auto wide = weights.gate.options().dtype(at::kDouble);
  const bool compensated = weights.compensation.defined();
  const auto offsets = compensated ? weights.compensation : weights.down_bias.unsqueeze(0);
  const auto initial = at::cat({weights.down, offsets}, 0);  // [f + E, d], or [f + 1, d]
  const auto columns = initial.size(0);
  auto gram = at::zeros({columns, columns}, wide);
  auto moment = at::zeros({columns, d}, wide);
  auto a = at::empty({0}, weights.gate.options());
  for_chunks(rows.count(), chunk_rows(f), [&](std::int64_t begin, std::int64_t end) {
    const auto h = weights.hidden(rows.x(begin, end));
    auto y = rows.y(begin, end);
    if (compensated && weights.down_bias.defined()) y = y - weights.down_bias;
    for (std::size_t i = 0; i < thresholds.size(); ++i) {
      context.check();
      const auto mask = (routing_weights.slice(0, begin, end) >= thresholds[i]).to(at::kFloat);
      const auto masked = (weights.routed_part(h) * mask.unsqueeze(2)).flatten(1);
      const auto skipped = compensated ? 1 - mask : at::ones({end - begin, 1}, mask.options());
      a = at::cat({h.slice(1, 0, weights.shared_neurons), masked, skipped}, 1);
      const double weight = 1 / std::max(errors[i], 1e-6);
      add_gram(gram, a, weight);
      moment.add_(at::mm(a.t(), y), weight);
    }
  });
  mirror(gram);
  moment -= at::mm(gram, initial.to(at::kDouble));  // Aᵀ (Y - A W0)
  const auto diagonal = gram.diagonal().clone();
  gram.diagonal() += ridge * at::maximum(diagonal, diagonal.median()) + least_ridge;
  const auto solution = initial + solve_spd(std::move(gram), moment).to(at::kFloat);
  MoeWeights result = weights;
  result.down = solution.slice(0, 0, f).contiguous();
  if (compensated)
    result.compensation = solution.slice(0, f).contiguous();
  else
    result.down_bias = solution[f].contiguous();
  return result;
}

}  // namespace ladimo
