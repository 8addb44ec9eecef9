#include "baselines/plain_distillation.h"

#include <array>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "baselines/expert_ffn.h"
#include "convert/adam.h"
#include "convert/contributions.h"

namespace ladimo {
namespace {

/// Mixing weights [T, E] from the router's logits: k times the softmax over the k largest, 0 elsewhere.
at::Tensor mixing_weights(const at::Tensor& logits, int k) {
  if (k == 0) return at::zeros_like(logits);
  const auto order = std::get<1>(at::sort(logits.detach(), /*stable=*/true, 1, /*descending=*/true));
  const auto chosen = order.narrow(1, 0, k);
  return at::zeros_like(logits).scatter(1, chosen, k * logits.gather(1, chosen).softmax(1));
}

struct PlainMoe {
  MoeWeights experts;
  at::Tensor router;  // [E, d]
  int k = 0;

  std::array<at::Tensor*, 4> trained() { return {&experts.gate, &experts.up, &experts.down, &router}; }

  at::Tensor forward(const at::Tensor& x) const {
    const auto h = experts.hidden(x);
    const auto mix = mixing_weights(at::mm(x, router.t()), k);
    const auto routed = experts.routed_part(h) * mix.unsqueeze(2);
    const auto all = at::cat({h.narrow(1, 0, experts.shared_neurons), routed.flatten(1)}, 1);
    const auto y = at::mm(all, experts.down);
    return experts.down_bias.defined() ? y + experts.down_bias : y;
  }

  PlainMoe copy() const {
    PlainMoe result = *this;
    for (at::Tensor* tensor : result.trained()) *tensor = tensor->detach().clone();
    return result;
  }
};

/// Splits the FFN into contiguous experts. The first neurons are always on where equal experts leave some
/// over.
PlainMoe initial(const BaselineTask& task) {
  Partition partition;
  partition.permutation.resize(static_cast<std::size_t>(task.ffn.gate.size(0)));
  std::iota(partition.permutation.begin(), partition.permutation.end(), 0);
  const auto sizes = slice_sizes(task.ffn.gate.size(0), task.recipe.experts, 0);
  partition.shared_neurons = sizes.shared_neurons;
  partition.expert_neurons = sizes.expert_neurons;
  PlainMoe moe;
  moe.experts = slice_ffn(task.ffn, partition);
  std::vector<float> router(static_cast<std::size_t>(moe.experts.router.numel()));
  Random random(task.recipe.seed, "plain router", static_cast<std::uint64_t>(task.layer));
  const auto d = static_cast<double>(moe.experts.hidden_size());
  for (float& value : router) value = static_cast<float>((2 * random.uniform() - 1) / std::sqrt(d));
  moe.router = at::tensor(router).view_as(moe.experts.router).to(task.ffn.gate.device());
  return moe;
}

/// The number of optimiser steps that our method takes: the distillation, and the end-to-end finish where it
/// is on.
std::int64_t optimiser_steps(const Recipe& recipe, std::int64_t rows) {
  const auto steps_of = [&](int epochs, int batch) {
    return epochs * std::max<std::int64_t>(1, rows / batch);
  };
  const auto distillation = steps_of(recipe.stage1.epochs, recipe.stage1.batch);
  return distillation +
         (recipe.finish.use == "off" ? 0 : steps_of(recipe.finish.epochs, recipe.finish.batch));
}

class PlainDistillation {
 public:
  PlainDistillation(const BaselineTask& task, PlainMoe start, const Context& context)
      : task_(task), context_(context), student_(start.copy()), best_(start), best_loss_(held_out(start)) {}

  PlainMoe run() {
    const Stage1& settings = task_.recipe.stage1;
    const auto rows = task_.rows.training();
    const auto batches = std::max<std::int64_t>(1, rows / settings.batch);
    const auto steps = optimiser_steps(task_.recipe, rows);
    std::vector<Adam> adam;
    for (at::Tensor* tensor : student_.trained()) adam.emplace_back(*tensor);
    Random random(task_.recipe.seed, "plain distillation", static_cast<std::uint64_t>(task_.layer));
    std::vector<std::int64_t> order(static_cast<std::size_t>(rows));
    std::iota(order.begin(), order.end(), 0);
    at::Tensor index;
    for (std::int64_t step = 0; step < steps; ++step) {
      context_.check();
      const auto batch = step % batches;
      if (batch == 0) {
        random.shuffle(order);
        index = at::tensor(order);
      }
      const double rate =
          settings.learning_rate * scheduled(static_cast<double>(step + 1) / static_cast<double>(steps));
      const auto gradients =
          gradients_on(index.slice(0, batch * settings.batch, std::min((batch + 1) * settings.batch, rows)));
      for (std::size_t i = 0; i < adam.size(); ++i)
        if (gradients[i].defined()) adam[i].step(gradients[i], rate);
      if (batch + 1 == batches || step + 1 == steps) keep_if_better();
    }
    return best_;
  }

 private:
  std::vector<at::Tensor> gradients_on(const at::Tensor& pick) {
    const at::AutoGradMode with_gradients(true);
    std::vector<at::Tensor> leaves;
    PlainMoe moe = student_;
    for (at::Tensor* tensor : moe.trained()) {
      *tensor = tensor->detach().set_requires_grad(true);
      leaves.push_back(*tensor);
    }
    const auto residual = moe.forward(task_.rows.x(pick)) - task_.rows.y(pick);
    const auto loss =
        residual.square().sum() / (static_cast<double>(pick.size(0)) * task_.statistics.output_variance);
    return torch::autograd::grad({loss}, leaves, {}, false, false, /*allow_unused=*/true);
  }

  double held_out(const PlainMoe& moe) const {
    const auto rows = task_.rows.validation();
    double sum = 0;
    for_chunks(rows.count(), chunk_rows(moe.experts.neurons()), [&](std::int64_t begin, std::int64_t end) {
      sum += (moe.forward(rows.x(begin, end)) - rows.y(begin, end)).square().sum().item<double>();
    });
    return sum;
  }

  void keep_if_better() {
    const double loss = held_out(student_);
    if (!(loss < best_loss_)) return;
    best_loss_ = loss;
    best_ = student_.copy();
  }

  const BaselineTask& task_;
  const Context& context_;
  PlainMoe student_, best_;
  double best_loss_;
};

}  // namespace

FeedForwards make_ladimo_plain(const BaselineTask& task, const std::vector<double>& targets,
                               const Context& context) {
  const auto start = initial(task);
  ExpertChoice choice;
  choice.router_parameters = static_cast<double>(start.router.numel());
  FeedForwards ffns;
  for (const double target : targets) {
    auto moe = start;
    moe.k = spread_k(task, target, shape_of(moe.experts, choice));
    const auto trained = PlainDistillation(task, moe, context).run();
    choice.weights = [router = trained.router, k = trained.k](const at::Tensor& x, const at::Tensor&) {
      return mixing_weights(at::mm(x.to(at::kFloat), router.t()), k);
    };
    ffns.push_back(std::make_shared<ExpertFfn>(std::make_shared<MoeWeights>(trained.experts), choice));
  }
  return ffns;
}

}  // namespace ladimo
