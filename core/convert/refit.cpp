#include "convert/refit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>

#include "convert/ridge.h"
#include "run/enough_rows.h"

namespace ladimo {
namespace {

struct NormalEquations {
  at::Tensor gram;    // AᵀA [n, n] fp64
  at::Tensor moment;  // AᵀY [n, d] fp64
};

class EquationSums {
 public:
  EquationSums(const MoeWeights& weights, const at::Tensor& routing_weights,
               const std::vector<double>& thresholds, const std::vector<double>& errors)
      : weights_(weights), routing_weights_(routing_weights), count_(std::ssize(thresholds)) {
    std::vector<double> factors;
    for (const double error : errors) factors.push_back(1 / std::sqrt(std::max(error, 1e-6)));
    thresholds_ = at::tensor(thresholds).to(weights.gate.options()).unsqueeze(1);
    factors_ = at::tensor(factors).to(weights.gate.options()).unsqueeze(1);
  }

  NormalEquations over(const LayerRows& rows, const Context& context) const {
    const auto f = weights_.neurons(), n = f + offsets();
    const auto wide = weights_.gate.options().dtype(at::kDouble);
    NormalEquations sums{at::zeros({n, n}, wide), at::zeros({n, weights_.hidden_size()}, wide)};
    const auto each = thresholds_of_row(rows.count(), n, count_);
    for_chunks(rows.count(), chunk_rows(f), [&](std::int64_t begin, std::int64_t end) {
      const auto h = weights_.hidden(rows.x(begin, end));
      auto y = rows.y(begin, end);
      if (compensated() && weights_.down_bias.defined()) y = y - weights_.down_bias;
      for (std::int64_t i = 0; i < each; ++i) {
        context.check();
        const auto turn = at::arange(begin + i, end + i, at::kLong).remainder_(count_).to(h.device());
        const auto factor = factors_.index_select(0, turn);
        const auto on = routing_weights_.slice(0, begin, end) >= thresholds_.index_select(0, turn);
        const auto a = equations(h, on.to(at::kFloat)).mul_(factor);
        add_gram(sums.gram, a);
        sums.moment += at::mm(a.t(), y * factor);
      }
    });
    mirror(sums.gram);
    return sums;
  }

 private:
  bool compensated() const { return weights_.compensation.defined(); }
  std::int64_t offsets() const {
    return compensated() ? weights_.routed() : weights_.down_bias.defined() ? 1 : 0;
  }

  /// [masked h, 1 - mask], [masked h, 1] with one bias, or masked h alone.
  at::Tensor equations(const at::Tensor& h, const at::Tensor& on) const {
    const auto f = h.size(1), shared = weights_.shared_neurons;
    auto a = at::empty({h.size(0), f + offsets()}, h.options());
    a.slice(1, 0, shared).copy_(h.slice(1, 0, shared));
    auto routed = a.slice(1, shared, f).view({h.size(0), weights_.routed(), -1});
    at::mul_out(routed, weights_.routed_part(h), on.unsqueeze(2));
    auto skipped = a.slice(1, f);
    if (compensated())
      skipped.copy_(1 - on);
    else
      skipped.fill_(1);
    return a;
  }

  const MoeWeights& weights_;
  const at::Tensor& routing_weights_;
  std::int64_t count_;
  at::Tensor thresholds_, factors_;  // [L, 1]: of every threshold, the root of the weight of its equations
};

}  // namespace

MoeWeights refit(const MoeWeights& weights, const LayerRows& rows, const at::Tensor& routing_weights,
                 const std::vector<double>& thresholds, const std::vector<double>& errors, double ridge,
                 const Context& context) {
  const auto f = weights.neurons();
  const bool compensated = weights.compensation.defined();
  auto initial = weights.down;  // [f + E, d], [f + 1, d] or [f, d]
  if (compensated)
    initial = at::cat({initial, weights.compensation}, 0);
  else if (weights.down_bias.defined())
    initial = at::cat({initial, weights.down_bias.unsqueeze(0)}, 0);
  const EquationSums sums(weights, routing_weights, thresholds, errors);
  auto equations = sums.over(rows, context);
  const auto solution =
      initial + ridge_correction(std::move(equations.gram), std::move(equations.moment), initial, ridge);
  MoeWeights result = weights;
  result.down = solution.slice(0, 0, f).contiguous();
  if (compensated)
    result.compensation = solution.slice(0, f).contiguous();
  else if (weights.down_bias.defined())
    result.down_bias = solution[f].contiguous();
  return result;
}

}  // namespace ladimo
