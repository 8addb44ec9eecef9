#include "baselines/teal.h"

#include <algorithm>
#include <limits>

#include <ATen/TensorOperators.h>

#include "model/routing_weights.h"

namespace ladimo {
namespace {

constexpr std::int64_t most_rows = 4096;
constexpr double least_share = 0.02;

/// Makes FFNs with given shares, from some rows.
class Cutting {
 public:
  explicit Cutting(const BaselineTask& task)
      : ffn_(std::make_shared<DenseFfn>(task.ffn)),
        rows_(task.rows.thinned(most_rows).train()),
        x_(rows_.x(0, rows_.count())),
        y_(rows_.y(0, rows_.count())) {}

  /// `inputs` and `neurons` are the shares that stay.
  std::shared_ptr<const CutFfn> with(double inputs, double neurons) const {
    LayerPolicy policy;
    const auto cut = [&](Product product, const at::Tensor& sizes, double share) {
      policy.cut(product) = {share < 1 ? thresholds_at(sizes, {share}).front() : 0, share};
    };
    cut(Product::gate_up, x_.abs(), inputs);
    const double threshold = policy.cut(Product::gate_up).threshold;
    const auto h = ffn_->hidden(x_.masked_fill(x_.abs() < threshold, 0));
    cut(Product::down, h.abs() * ffn_->neuron_norms(), neurons);
    return std::make_shared<const CutFfn>(ffn_, policy);
  }

  double error(const CutFfn& ffn) const { return (ffn.forward(x_).y - y_).square().sum().item<double>(); }

 private:
  std::shared_ptr<const DenseFfn> ffn_;
  LayerRows rows_;
  at::Tensor x_, y_;  // [rows, d]
};

/// The share of the neurons with which a share of the inputs meets a target: gate and up are two thirds of
/// the parameters.
double neurons_for(double target, double inputs) { return 3 * target - 2 * inputs; }

}  // namespace

FeedForwards make_teal(const BaselineTask& task, const std::vector<double>& targets, const Context& context) {
  constexpr double step = 0.05;
  const Cutting cutting(task);
  FeedForwards ffns;
  for (const double target : targets) {
    double least = std::numeric_limits<double>::infinity();
    std::shared_ptr<const FeedForward> best;
    for (double inputs = 1; inputs >= least_share; inputs -= step) {
      context.check();
      const double neurons = neurons_for(target, inputs);
      if (neurons < least_share || neurons > 1) continue;
      const auto ffn = cutting.with(inputs, neurons);
      if (const double error = cutting.error(*ffn); error < least) least = error, best = ffn;
    }
    ffns.push_back(best != nullptr ? best : cutting.with(target, std::min(target, 1.0)));
  }
  return ffns;
}

FeedForwards make_teal_uniform(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context) {
  const Cutting cutting(task);
  FeedForwards ffns;
  for (const double target : targets) {
    context.check();
    ffns.push_back(cutting.with(target, target));
  }
  return ffns;
}

}  // namespace ladimo
