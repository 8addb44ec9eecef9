#include "baselines/static_pruning.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "convert/refit.h"

namespace ladimo {
namespace {

/// The neurons of highest Var(h_j) ||W_d[:, j]||^2 that meet a target. [n] int64
at::Tensor most_variable(const BaselineTask& task, double target) {
  const auto& statistics = task.statistics;
  const auto score = (statistics.square - statistics.mean.square()) * statistics.down_norm.square();
  const auto order = std::get<1>(score.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
  const double per_layer = neurons_within(task.ffn, target);
  const auto kept = std::clamp<std::int64_t>(static_cast<std::int64_t>(per_layer), 1, order.numel());
  return std::get<0>(order.slice(0, 0, kept).sort());
}

/// The neurons `keep`, with a bias that replaces the others.
std::shared_ptr<DenseFfn> pruned(const BaselineTask& task, const at::Tensor& keep) {
  const DenseFfn& ffn = task.ffn;
  const auto dropped = at::ones({ffn.gate.size(0)}, keep.options().dtype(at::kBool)).index_fill_(0, keep, 0);
  const auto drop = dropped.nonzero().flatten();
  const auto& statistics = task.statistics;

  auto result = std::make_shared<DenseFfn>();
  result->gate = ffn.gate.index_select(0, keep);
  result->up = ffn.up.index_select(0, keep);
  result->down = ffn.down.index_select(1, keep);
  result->down_bias = at::mv(ffn.down.index_select(1, drop), statistics.mean.index_select(0, drop));
  if (ffn.gate_bias.defined()) {
    result->gate_bias = ffn.gate_bias.index_select(0, keep);
    result->up_bias = ffn.up_bias.index_select(0, keep);
    result->down_bias += ffn.down_bias;
  }
  return result;
}

/// Refits the kept neurons as shared ones. The refit needs an expert, so there is one without neurons.
std::shared_ptr<DenseFfn> refitted(const BaselineTask& task, std::shared_ptr<DenseFfn> ffn,
                                   const Context& context) {
  const auto d = ffn->gate.size(1);
  MoeWeights weights;
  weights.gate = ffn->gate;
  weights.up = ffn->up;
  weights.down = ffn->down.t().contiguous();
  weights.gate_bias = ffn->gate_bias;
  weights.up_bias = ffn->up_bias;
  weights.down_bias = ffn->down_bias;
  weights.router = at::zeros({1, d}, ffn->gate.options());
  weights.router_bias = at::zeros({1}, ffn->gate.options());
  weights.shared_neurons = weights.neurons();
  const auto training = task.rows.train();
  const auto routing_weights = at::zeros({training.count(), 1}, ffn->gate.options());
  const auto solved =
      refit(weights, training, routing_weights, {1.0}, {1.0}, task.recipe.stage1.refit_ridge, context);
  ffn->down = solved.down.t().contiguous();
  ffn->down_bias = solved.down_bias;
  return ffn;
}

}  // namespace

double neurons_within(const DenseFfn& ffn, double target) {
  const auto d = static_cast<double>(ffn.gate.size(1));
  const double per_neuron = 3 * d + (ffn.gate_bias.defined() ? 2 : 0);
  return (target * ffn.activated_parameters(0) - d) / per_neuron;
}

FeedForwards make_static(const BaselineTask& task, const std::vector<double>& targets, const Context&) {
  FeedForwards ffns;
  for (const double target : targets) ffns.push_back(pruned(task, most_variable(task, target)));
  return ffns;
}

FeedForwards make_static_refit(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context) {
  FeedForwards ffns;
  for (const double target : targets)
    ffns.push_back(refitted(task, pruned(task, most_variable(task, target)), context));
  return ffns;
}

FeedForwards make_static_learned(const BaselineTask& task, const std::vector<double>&,
                                 const Context& context) {
  FeedForwards ffns;
  for (const at::Tensor& keep : task.kept) ffns.push_back(refitted(task, pruned(task, keep), context));
  return ffns;
}

}  // namespace ladimo
