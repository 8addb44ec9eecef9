#include "commands/contenders.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "commands/conversion.h"
#include "commands/opened_model.h"
#include "run/timing_log.h"
#include "stream/layer_rows.h"
#include "stream/window_order.h"

namespace ladimo {
namespace {

constexpr std::int64_t activity_tokens = 8192;  // tokens that activity is counted on
constexpr double activity_tolerance = 0.002;    // share of the FFNs' parameters
constexpr int corrections = 3;
constexpr double least_share = 1e-3;  // of one FFN's parameters that a method may be asked for

/// One method and the targets that it is asked for, which are corrected when its activity drifts.
struct Order {
  const Baseline* method;
  std::vector<double> asked;
  Recipe recipe;
  std::vector<KeptNeurons> kept = {};  // what Baseline::learn gave
};

/// The shares of its FFN's parameters that a method is asked for in every layer that is converted, so that
/// all FFNs together come to `targets`. The other layers stay dense. Precondition: `targets` are more
/// than these take, but for the corrections of a method whose activity drifts.
std::vector<double> shares_of_converted(const std::vector<double>& targets, std::int64_t layers,
                                        std::size_t converted) {
  const auto all = static_cast<double>(layers), ours = static_cast<double>(converted);
  if (all == ours) return targets;
  std::vector<double> shares;
  for (const double target : targets)
    shares.push_back(std::max((target * all - (all - ours)) / ours, least_share));
  return shares;
}

/// Makes the contenders in the order of the methods, each with all targets.
std::vector<Contender> make_contenders(const WeightSource& source, const Plan& plan,
                                       const std::vector<Order>& orders, const std::vector<double>& targets,
                                       const Context& context) {
  const auto layers = source.config().layers;
  std::vector<Contender> contenders;
  for (const Order& order : orders)
    for (const double target : targets) contenders.push_back({order.method->name, target, {}, 0});
  const WindowOrder windows(plan.text.calibration.count(), plan.recipe.stage1.validation_share);
  auto stream = ResidualStream::embedded(source, windows.all(plan.text.calibration), context);
  Progress progress(context, layers * static_cast<std::int64_t>(orders.size() + 1));
  std::optional<RowCapture> capture;
  std::vector<std::vector<double>> asked;  // of each order, in every layer that is converted
  for (const Order& order : orders)
    asked.push_back(shares_of_converted(order.asked, layers, plan.recipe.layers.size()));
  Walk how;
  how.layers = layers;
  how.enter = [&](std::int64_t l, const DecoderLayer&) {
    capture.reset();
    if (std::ranges::binary_search(plan.recipe.layers, static_cast<int>(l)))
      capture.emplace(source, stream.windows(), windows.training, stream.positions(), context);
  };
  how.see = [&](const LayerChunk& chunk) {
    if (capture) capture->keep(chunk.begin, chunk.x, chunk.y);
  };
  how.leave = [&](std::int64_t l, const DecoderLayer& layer) {
    if (!capture) {
      for (Contender& contender : contenders) contender.ffns.push_back(nullptr);
      return progress.advance(static_cast<std::int64_t>(orders.size() + 1));
    }
    const auto rows = capture->rows();
    const auto& ffn = dynamic_cast<const DenseFfn&>(*layer.ffn);
    const auto statistics = measure_hidden(ffn, rows.train(), context);
    progress.advance();
    for (std::size_t o = 0; o < orders.size(); ++o) {
      const WorkMeter watch;
      BaselineTask task{
          ffn, rows, statistics, orders[o].recipe, static_cast<int>(l), static_cast<int>(layers), {}};
      for (const KeptNeurons& kept : orders[o].kept) task.kept.push_back(kept[static_cast<std::size_t>(l)]);
      const auto ffns = orders[o].method->make(task, asked[o], context);
      for (std::size_t t = 0; t < targets.size(); ++t) {
        auto& contender = contenders[o * targets.size() + t];
        contender.ffns.push_back(ffns[t]);
        contender.seconds += watch.seconds();
      }
      progress.advance();
    }
  };
  walk(source, stream, how, context);
  return contenders;
}

/// The share of the FFNs' parameters that each contender uses on its own trajectory. `windows` are text that
/// it was not made from.
std::vector<double> activities(const WeightSource& source, const std::vector<Contender>& contenders,
                               const Windows& windows, const Context& context) {
  const auto scores = count_activity(source, scored_together(contenders),
                                     some_windows(windows, activity_tokens / windows.window + 1), context);
  const auto dense = static_cast<double>(source.config().ffn_parameters_per_layer() * source.config().layers);
  std::vector<double> shares;
  for (const auto& one : scores.policies)
    shares.push_back(std::accumulate(one.ffn_parameters.begin(), one.ffn_parameters.end(), 0.0) / dense);
  return shares;
}

/// Makes the contenders of a method whose activity drifts. It is asked again for corrected targets until it
/// meets the real ones.
std::vector<Contender> without_drift(const WeightSource& source, const Plan& plan, Order order,
                                     const std::vector<double>& targets, const Context& context) {
  std::vector<Contender> contenders;
  double seconds = 0;
  for (int round = 0; round <= corrections; ++round) {
    contenders = make_contenders(source, plan, {order}, targets, context);
    seconds += contenders.front().seconds;
    const auto got = activities(source, contenders, plan.text.tables, context);
    double worst = 0;
    for (std::size_t t = 0; t < targets.size(); ++t) {
      order.asked[t] += targets[t] - got[t];
      worst = std::max(worst, std::abs(targets[t] - got[t]));
    }
    if (worst <= activity_tolerance) break;
  }
  for (auto& contender : contenders) contender.seconds = seconds;
  return contenders;
}

}  // namespace

Branches scored_together(const std::vector<Contender>& contenders) {
  Branches models;
  for (const auto& contender : contenders) {
    const auto first = std::ranges::find_if(contender.ffns, [](const auto& ffn) { return ffn != nullptr; });
    models.first_layer.push_back(first - contender.ffns.begin());
  }
  models.layers = [&contenders](int layer) {
    std::vector<BranchLayer> layers;
    for (const auto& contender : contenders)
      layers.push_back({contender.ffns[static_cast<std::size_t>(layer)], 0, 0});
    return layers;
  };
  return models;
}

std::vector<Contender> make_opponents(const WeightSource& source, const Plan& plan,
                                      const std::vector<const Baseline*>& methods,
                                      const std::vector<double>& targets, std::optional<int> experts,
                                      const Context& context) {
  const auto order = [&](const Baseline* method) {
    Order result{method, targets, plan.recipe};
    if (method->bound || experts) return result;
    const auto& config = source.config();
    result.recipe.experts = customary_experts(config.intermediate_size, static_cast<int>(config.layers));
    result.recipe.shared = default_shared(result.recipe.experts);
    return result;
  };
  std::vector<Order> steady;
  for (const Baseline* method : methods)
    if (!method->drifts) steady.push_back(order(method));
  const bool learns = std::ranges::any_of(steady, [](const Order& o) { return o.method->learn != nullptr; });
  const double learned_until = learns ? 0.5 : 0;  // share of the time
  const auto shares = shares_of_converted(targets, source.config().layers, plan.recipe.layers.size());
  std::vector<double> seconds;  // to learn, of every method
  for (Order& one : steady) {
    const WorkMeter watch;
    if (one.method->learn != nullptr)
      one.kept = one.method->learn(source, one.recipe, plan.text.calibration, shares,
                                   context.part(0, learned_until));
    seconds.push_back(watch.seconds());
  }
  std::vector<Contender> contenders;
  if (!steady.empty())
    contenders = make_contenders(source, plan, steady, targets, context.part(learned_until, 1));
  for (std::size_t c = 0; c < contenders.size(); ++c) contenders[c].seconds += seconds[c / targets.size()];
  for (const Baseline* method : methods) {
    if (!method->drifts) continue;
    auto more = without_drift(source, plan, order(method), targets, context);
    std::ranges::move(more, std::back_inserter(contenders));
  }
  return contenders;
}

std::vector<Contender> make_ours(const WeightSource& source, const Plan& plan,
                                 const std::vector<Ours>& methods, const std::vector<double>& targets,
                                 const Runtime& runtime, const Context& context) {
  convert(plan, runtime, context);
  const RunFolder run(plan.run);
  const double seconds = read_timing(run).total();  // of all commands: a kept run may have been made before
  const auto table = run.tradeoff();
  const auto layers = run_layers(run, runtime.device, source.dtype());
  std::vector<Contender> contenders;
  std::vector<ModelPolicy> policies;
  for (const Ours& method : methods) {
    // solve() would refuse a target that is just out of reach. After hours of work the nearest policy is
    // better.
    const Frontier frontier(table, nullptr, Cost::activated, {}, method.kinds, {method.grains, false});
    for (const double target : targets) {
      const double budget = table.other_activated + target * (frontier.dense_cost() - table.other_activated);
      policies.push_back(frontier.at_budget(budget).layers);
      contenders.push_back({method.name, target, {}, seconds});
    }
  }
  const auto models = under_policies(source, layers, policies, SkippedExperts::masked);
  for (int l = 0; l < static_cast<int>(source.config().layers); ++l) {
    const auto of_layer = models.layers(l);
    for (std::size_t i = 0; i < contenders.size(); ++i) contenders[i].ffns.push_back(of_layer[i].ffn);
  }
  return contenders;
}

}  // namespace ladimo
