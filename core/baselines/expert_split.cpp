#include "baselines/expert_split.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

#include "baselines/expert_ffn.h"
#include "convert/contributions.h"
#include "convert/ridge.h"
#include "convert/router_fit.h"

namespace ladimo {
namespace {

/// Groups `routed` neurons by the expert that owns them, after the neurons that are always on.
Partition grouped(const at::Tensor& shared, const at::Tensor& routed, const std::vector<int>& owner,
                  int experts) {
  Partition partition;
  const auto append = [&](const at::Tensor& neurons) {
    const auto cpu = neurons.to(at::kCPU).contiguous();
    const auto* values = cpu.data_ptr<std::int64_t>();
    partition.permutation.insert(partition.permutation.end(), values, values + cpu.numel());
  };
  append(shared);
  const auto owners = at::tensor(std::vector<std::int64_t>(owner.begin(), owner.end())).to(routed.device());
  for (int expert = 0; expert < experts; ++expert) append(routed.masked_select(owners == expert));
  partition.shared_neurons = shared.size(0);
  partition.expert_neurons = routed.size(0) / experts;
  return partition;
}

/// Neurons by falling score. Equal scores keep the order of the neurons.
at::Tensor strongest_first(const at::Tensor& score) {
  return std::get<1>(score.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
}

/// A split in which all slices are routed. Neurons that do not fit into equal experts are always on; the
/// strongest neurons are taken for that.
struct EqualSplit {
  at::Tensor shared, routed;  // neurons

  explicit EqualSplit(const BaselineTask& task) {
    const auto sizes = slice_sizes(task.ffn.gate.size(0), task.recipe.experts, 0);
    const auto order = strongest_first(task.statistics.energy());
    shared = order.slice(0, 0, sizes.shared_neurons);
    routed = std::get<0>(order.slice(0, sizes.shared_neurons).sort());
  }
};

/// One network per target. It runs the k experts with the highest `scores`.
FeedForwards with_top_k(const BaselineTask& task, std::shared_ptr<const MoeWeights> weights,
                        ExpertChoice choice, const std::vector<double>& targets) {
  const auto scores = choice.weights;
  FeedForwards ffns;
  for (const double target : targets) {
    const int k = spread_k(task, target, shape_of(*weights, choice));
    choice.weights = [scores, k](const at::Tensor& x, const at::Tensor& h) {
      return select_experts(scores(x, h), LayerPolicy::top(k));
    };
    ffns.push_back(std::make_shared<ExpertFfn>(weights, choice));
  }
  return ffns;
}

/// Predicts every expert's sum of |h| from x by ridge regression.
struct ActivationRouter {
  at::Tensor weight;  // [d + 1, E]

  ActivationRouter(const MoeWeights& weights, const LayerRows& rows, double ridge, const Context& context) {
    const auto d = weights.hidden_size();
    const auto wide = weights.gate.options().dtype(at::kDouble);
    auto gram = at::zeros({d + 1, d + 1}, wide);
    auto moment = at::zeros({d + 1, weights.routed()}, wide);
    for_chunks(rows.count(), chunk_rows(weights.neurons()), [&](std::int64_t begin, std::int64_t end) {
      context.check();
      const auto x = rows.x(begin, end);
      const auto a = with_one(x);
      add_gram(gram, a);
      moment += at::mm(a.t(), weights.routed_part(weights.hidden(x)).abs().sum(2));
    });
    weight = ridge_solution(gram, moment, ridge);
  }

  at::Tensor operator()(const at::Tensor& x) const {
    const auto d = weight.size(0) - 1;
    return at::addmm(weight[d], x.to(at::kFloat), weight.slice(0, 0, d));
  }
};

/// For each expert the routed neuron whose marks are nearest to the expert's mean. Marks are rows of `marks`
/// [n, t].
at::Tensor representatives(const at::Tensor& marks, const std::vector<int>& owner, int experts) {
  std::vector<std::int64_t> chosen;
  const auto owners = at::tensor(std::vector<std::int64_t>(owner.begin(), owner.end())).to(marks.device());
  for (int expert = 0; expert < experts; ++expert) {
    const auto members = (owners == expert).nonzero().flatten();
    const auto own = marks.index_select(0, members);
    const auto distance = (own - own.mean(0)).square().sum(1);
    chosen.push_back(members[distance.argmin().item<std::int64_t>()].item<std::int64_t>());
  }
  return at::tensor(chosen).to(marks.device());
}

/// Which of some tokens have each neuron among their strongest: [f, t] of 0 and 1.
at::Tensor activation_marks(const BaselineTask& task) {
  const Stage1& settings = task.recipe.stage1;
  const auto x = feature_rows(task.rows.train(), settings.feature_tokens);
  HiddenStatistics plain = task.statistics;  // with down norms of one, neurons are marked by |h| alone
  plain.down_norm = at::ones_like(plain.down_norm);
  const auto all = at::arange(task.ffn.gate.size(0), at::TensorOptions(at::kLong).device(x.device()));
  return coactivation_marks(task.ffn, plain, x, all, settings.activation_share);
}

/// A split in which the neurons that are marked most often are shared, and the others are clustered by their
/// marks.
struct MarkSplit {
  at::Tensor routed, routed_marks;  // neurons, and their marks
  std::vector<int> owner;           // of every routed neuron
  Partition partition;
  std::shared_ptr<const MoeWeights> weights;

  /// `shared` is a number of slices.
  MarkSplit(const BaselineTask& task, const at::Tensor& marks, int shared, const char* name,
            const Context& context) {
    const int experts = task.recipe.experts - shared;
    const auto sizes = slice_sizes(task.ffn.gate.size(0), task.recipe.experts, shared);
    const auto order = strongest_first(marks.mean(1));
    routed = std::get<0>(order.slice(0, sizes.shared_neurons).sort());
    routed_marks = marks.index_select(0, routed);
    owner = balanced_kmeans(routed_marks, experts,
                            Random(task.recipe.seed, name, static_cast<std::uint64_t>(task.layer)), context);
    partition = grouped(order.slice(0, 0, sizes.shared_neurons), routed, owner, experts);
    weights = std::make_shared<MoeWeights>(slice_ffn(task.ffn, partition));
  }
};

}  // namespace

FeedForwards make_random(const BaselineTask& task, const std::vector<double>& targets,
                         const Context& context) {
  const Stage1& settings = task.recipe.stage1;
  const EqualSplit split(task);
  std::vector<int> owner(static_cast<std::size_t>(split.routed.size(0)));
  for (std::size_t i = 0; i < owner.size(); ++i)
    owner[i] = static_cast<int>(i % static_cast<std::size_t>(task.recipe.experts));
  Random(task.recipe.seed, "random experts", static_cast<std::uint64_t>(task.layer)).shuffle(owner);
  const auto sliced = slice_ffn(task.ffn, grouped(split.shared, split.routed, owner, task.recipe.experts));
  const auto weights =
      fit_router(task.rows,
                 contribution_targets(sliced, task.statistics, /*replaced=*/true, task.rows, context),
                 settings.router_ridge, /*bias=*/true, context)
          .in(sliced);

  const auto training = task.rows.train();
  const auto routing_weights = route_rows(weights, training, context);
  ExpertChoice choice;
  choice.weights = [weights](const at::Tensor& x, const at::Tensor&) { return weights.route(x); };
  choice.router_parameters = weights.shape().router_parameters;
  choice.skipped_parameters = static_cast<double>(weights.hidden_size());
  FeedForwards ffns;
  for (const double target : targets) {
    const int k = spread_k(task, target, shape_of(weights, choice));
    // `conditional_compensation` compares a 0 or 1 with its threshold: whether an expert is among the k.
    const auto on = select_experts(routing_weights, LayerPolicy::top(k)).to(at::kFloat);
    auto compensated = std::make_shared<MoeWeights>(weights);
    compensated->compensation = conditional_compensation(weights, training, on, {0.5}, context);
    ffns.push_back(with_top_k(task, compensated, choice, {target}).front());
  }
  return ffns;
}

FeedForwards make_moefication(const BaselineTask& task, const std::vector<double>& targets,
                              const Context& context) {
  const EqualSplit split(task);
  const auto rows = task.ffn.gate.index_select(0, split.routed);
  const auto owner = balanced_kmeans(
      rows / rows.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12), task.recipe.experts,
      Random(task.recipe.seed, "moefication", static_cast<std::uint64_t>(task.layer)), context);
  const auto weights = std::make_shared<MoeWeights>(
      slice_ffn(task.ffn, grouped(split.shared, split.routed, owner, task.recipe.experts)));
  const ActivationRouter router(*weights, task.rows.train(), task.recipe.stage1.router_ridge, context);
  ExpertChoice choice;
  choice.weights = [router](const at::Tensor& x, const at::Tensor&) { return router(x); };
  choice.router_parameters = static_cast<double>(router.weight.numel());
  return with_top_k(task, weights, choice, targets);
}

FeedForwards make_cmoe(const BaselineTask& task, const std::vector<double>& targets, const Context& context) {
  const Recipe& recipe = task.recipe;
  const auto marks = activation_marks(task);
  const MarkSplit split(task, marks, recipe.shared, "cmoe", context);

  const auto chosen =
      split.routed.index_select(0, representatives(split.routed_marks, split.owner, recipe.routed()));
  const auto place =
      at::tensor(split.partition.permutation).argsort().to(chosen.device());  // of neurons in h
  ExpertChoice choice;
  choice.weights = [columns = place.index_select(0, chosen)](const at::Tensor&, const at::Tensor& h) {
    return h.index_select(1, columns).abs().to(at::kFloat);
  };
  // A selected expert uses the rows of its representative anyway.
  choice.skipped_parameters =
      static_cast<double>(2 * task.ffn.gate.size(1) + (task.ffn.gate_bias.defined() ? 2 : 0));
  return with_top_k(task, split.weights, choice, targets);
}

FeedForwards make_expertweaver(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context) {
  constexpr double least_shared = 0.2, most_shared = 0.7;
  const int experts = task.recipe.experts;
  const auto marks = activation_marks(task);
  const auto rate = marks.mean(1);
  const double universal = rate.gt(rate.mean()).to(at::kDouble).mean().item<double>();
  const auto wanted =
      static_cast<int>(std::lround(std::clamp(universal, least_shared, most_shared) * experts));
  const MarkSplit split(task, marks, std::min(wanted, experts - 1), "expertweaver", context);
  const MoeWeights& weights = *split.weights;
  const auto router = weights.gate.slice(0, weights.shared_neurons)
                          .view({weights.routed(), -1, weights.hidden_size()})
                          .mean(1);
  const auto bias =
      weights.gate_bias.defined()
          ? weights.gate_bias.slice(0, weights.shared_neurons).view({weights.routed(), -1}).mean(1)
          : at::Tensor();
  ExpertChoice choice;
  choice.weights = [router, bias](const at::Tensor& x, const at::Tensor&) {
    return at::linear(x.to(at::kFloat), router, bias);
  };
  choice.router_parameters = static_cast<double>(router.numel() + (bias.defined() ? bias.numel() : 0));
  return with_top_k(task, split.weights, choice, targets);
}

}  // namespace ladimo
