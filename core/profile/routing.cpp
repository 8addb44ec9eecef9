#include "profile/routing.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include <ATen/ATen.h>

#include "base/correlation.h"
#include "model/routing_weights.h"
#include "profile/ladder.h"
#include "stream/walk.h"

namespace ladimo {
namespace {

std::vector<double> to_vector(const at::Tensor& tensor) {
  const auto cpu = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {cpu.data_ptr<double>(), cpu.data_ptr<double>() + cpu.numel()};
}

/// The entropy of the load, divided by log E.
double normalised_entropy(const std::vector<double>& load) {
  double total = 0, entropy = 0;
  for (const double share : load) total += share;
  if (total <= 0 || load.size() < 2) return 0;
  for (const double share : load)
    if (share > 0) entropy -= share / total * std::log(share / total);
  return entropy / std::log(static_cast<double>(load.size()));
}

/// The load of every expert on the tokens of each source file; nothing where there is only one. on [T, E];
/// sources [windows], one for every T / windows rows.
std::vector<std::vector<double>> load_by_file(const at::Tensor& on,
                                              const std::vector<std::int32_t>& sources) {
  std::vector<std::vector<double>> loads;
  const auto windows = static_cast<std::int64_t>(sources.size());
  const auto by_window = on.view({windows, -1, on.size(1)}).mean(1);  // [windows, E]
  for (const std::int32_t source : std::set<std::int32_t>(sources.begin(), sources.end())) {
    std::vector<std::int64_t> rows;
    for (std::int64_t w = 0; w < windows; ++w)
      if (sources[static_cast<std::size_t>(w)] == source) rows.push_back(w);
    loads.push_back(to_vector(by_window.index_select(0, at::tensor(rows).to(on.device())).mean(0)));
  }
  if (loads.size() < 2) loads.clear();
  return loads;
}

void compare_domains(LayerProfile& profile, const at::Tensor& on, const std::vector<std::int32_t>& sources) {
  profile.domain_load = load_by_file(on, sources);
  for (std::size_t a = 0; a < profile.domain_load.size(); ++a)
    for (std::size_t b = a + 1; b < profile.domain_load.size(); ++b)
      profile.stability = std::min(profile.stability,
                                   correlation(profile.domain_load[a], profile.domain_load[b]).value_or(1));
}

/// Which experts run under a policy that is not dense, 0 or 1. routing_weights [T, E].
at::Tensor running(const at::Tensor& routing_weights, const LayerPolicy& policy) {
  if (policy.kind == LayerPolicy::Kind::threshold)
    return (routing_weights >= policy.threshold).to(at::kFloat);
  const auto strongest = std::get<1>(routing_weights.topk(policy.k, 1));
  return at::zeros_like(routing_weights, at::kFloat).scatter_(1, strongest, 1);
}

std::vector<LayerProfile::Load> loads_of(const at::Tensor& routing_weights,
                                         const std::vector<LayerPolicy>& policies,
                                         const std::vector<std::int32_t>& sources) {
  std::vector<LayerProfile::Load> loads;
  for (const LayerPolicy& policy : policies) {
    const auto on = running(routing_weights, policy);
    loads.push_back({policy, to_vector(on.mean(0)), load_by_file(on, sources)});
  }
  return loads;
}

LayerProfile profile_layer(int layer, const MoeWeights& weights, const at::Tensor& routing_weights,
                           double output_norm, const std::vector<std::int32_t>& sources) {
  LayerProfile profile;
  profile.layer = layer;
  profile.routed = static_cast<int>(weights.routed());
  profile.shared_neurons = static_cast<int>(weights.shared_neurons);
  profile.expert_neurons = static_cast<int>(weights.expert_neurons());
  profile.output_norm = output_norm;
  profile.all = count_weights(routing_weights);
  profile.top1 = count_weights(routing_weights.amax(1));
  profile.middle_threshold = thresholds_at(routing_weights, {0.5}).front();
  const auto on = (routing_weights >= profile.middle_threshold).to(at::kFloat);  // [T, E]
  const auto together = at::mm(on.t(), on) / static_cast<double>(on.size(0));    // [E, E]
  profile.expert_load = to_vector(together.diagonal());
  profile.mean_weight = to_vector(routing_weights.mean(0));
  profile.coactivation = to_vector((together / together.diagonal().clamp_min(1e-12).unsqueeze(1)).flatten());
  profile.entropy = normalised_entropy(profile.expert_load);
  for (int expert = 0; expert < profile.routed; ++expert) {
    const double load = profile.expert_load[static_cast<std::size_t>(expert)];
    if (load < 0.001) profile.dead.push_back(expert);
    if (load > 0.999) profile.always_on.push_back(expert);
  }
  compare_domains(profile, on, sources);
  profile.warnings = router_warnings(profile);
  return profile;
}

}  // namespace

namespace {

/// What the tables need to know about a layer, gathered chunk by chunk.
struct LayerRouting {
  std::shared_ptr<const MoeWeights> weights;
  std::vector<at::Tensor> routing_weights;  // [t, E] each
  std::vector<at::Tensor> output_norms;     // [t] each

  void add(const LayerChunk& chunk, std::int64_t positions) {
    const auto but_first = [&](const at::Tensor& t) {
      return t.view({-1, positions, t.size(1)}).slice(1, 1).flatten(0, 1);
    };
    routing_weights.push_back(weights->route(but_first(chunk.x)));
    output_norms.push_back(but_first(chunk.y).to(at::kFloat).norm(2, 1));
  }
};

}  // namespace

namespace {

/// Counts how large the inputs of a layer's products are, for some of the tokens.
class InputSizes {
 public:
  void add(const LayerChunk& chunk, std::int64_t positions) {
    for (const Product product : all_products) {
      const auto x = chunk.inputs(product);
      if (!x.defined()) continue;
      // Position 0 is left out.
      const auto some = x.view({-1, positions, x.size(1)}).slice(1, 1, positions, stride);
      auto size = some.to(at::kFloat).abs();
      if (product == Product::down) size = size * chunk.weights->ffn->neuron_norms();
      const auto counted = count_weights(size);
      auto& sum = sizes_[static_cast<std::size_t>(product)];
      sum.resize(counted.size());
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += counted[i];
    }
  }

  std::array<HistogramCounts, all_products.size()> take() { return std::exchange(sizes_, {}); }

 private:
  static constexpr std::int64_t stride = 7;  // of tokens: a million sizes determine a share to a thousandth

  std::array<HistogramCounts, all_products.size()> sizes_;
};

}  // namespace

RoutingMeasurement measure_routing(const WeightSource& source, const MoeLayers& moe,
                                   const std::vector<int>& layers, const Windows& windows,
                                   const Context& context) {
  RoutingMeasurement result;
  result.profile.tokens = windows.count() * (windows.window - 1);
  result.candidates.resize(static_cast<std::size_t>(source.config().layers));
  Progress progress(context, source.config().layers);
  LayerRouting routing;
  InputSizes sizes;
  auto stream = ResidualStream::embedded(source, windows, context);
  Walk how;
  how.layers = source.config().layers;
  how.enter = [&](std::int64_t l, const DecoderLayer&) {
    const bool converted = std::ranges::binary_search(layers, static_cast<int>(l));
    routing = {converted ? moe.load(static_cast<int>(l)) : nullptr, {}, {}};
  };
  how.see = [&](const LayerChunk& chunk) {
    sizes.add(chunk, windows.window);
    if (routing.weights) routing.add(chunk, windows.window);
  };
  how.leave = [&](std::int64_t l, const DecoderLayer&) {
    progress.advance();
    result.profile.inputs.push_back({static_cast<int>(l), sizes.take()});
    result.cuts.push_back(cut_thresholds(result.profile.inputs.back()));
    if (!routing.weights) return;
    const auto routing_weights = at::cat(routing.routing_weights);
    const double output_norm = at::cat(routing.output_norms).mean().item<double>();
    const auto& measured = result.profile.layers.emplace_back(
        profile_layer(static_cast<int>(l), *routing.weights, routing_weights, output_norm, windows.source));
    auto& candidates = result.candidates[static_cast<std::size_t>(l)] = sparse_candidates(routing_weights);
    result.profile.layers.back().loads = loads_of(routing_weights, candidates, windows.source);
    context.emit(HistogramEvent{measured.layer, measured.all, measured.expert_load});
    routing = {};
  };
  walk(source, stream, how, context);
  return result;
}

}  // namespace ladimo
