#include "run/estimate.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "policy/moe_shape.h"
#include "policy/tradeoff_table.h"
#include "run/enough_rows.h"
#include "run/memory_use.h"

namespace ladimo {
namespace {

constexpr double profile_passes = 1.3;     // the routing profile, in forward passes
constexpr double read_bytes_per_s = 12e9;  // by one thread
// What `auto` allows. The limits are operations and not seconds, so that the recipe alone decides the result.
constexpr double measured_limit_flops = 2e13;  // of measuring sensitivity
constexpr double finish_limit_flops = 1.5e14, finish_limit_bytes = 10e9;
constexpr double finish_least_tokens = 20000;

/// The shapes as floating-point numbers, because products of them could overflow an integer.
struct Shapes {
  double layers, d, f, vocab, attention, window, experts, tokens, tables;

  explicit Shapes(const Workload& work)
      : layers(static_cast<double>(work.config.layers)),
        d(static_cast<double>(work.config.hidden_size)),
        f(static_cast<double>(work.config.intermediate_size)),
        vocab(static_cast<double>(work.config.vocab_size)),
        attention(static_cast<double>(work.config.heads * work.config.head_dim)),
        window(static_cast<double>(work.recipe.window)),
        experts(work.recipe.routed()),
        tokens(static_cast<double>(work.tokens)),
        tables(static_cast<double>(work.recipe.splits().tables)) {}

  // Floating-point operations per token.
  double ffn_flops() const { return 6 * d * f; }
  double layer_flops() const { return 8 * d * attention + 2 * window * attention + ffn_flops(); }
  double head_flops() const { return 2 * d * vocab; }
  double model_flops() const { return layers * layer_flops() + head_flops(); }
};

double parameters_of_ffn(const Shapes& s) { return 3 * s.d * s.f; }

// Measuring sensitivity takes every candidate through half of the layers (on average) and the head.
double measuring_flops_per_layer(const Shapes& s, const Workload& work) {
  return candidates_of_layer * measuring_tokens(work) * (s.model_flops() / 2 + s.head_flops());
}

/// The seconds of everything that is computed, at this pace.
class Clock {
 public:
  explicit Clock(const Workload& work)
      : work_(work), s_(work), pace_(work.pace.value_or(usual_pace(work.threads))) {}

  double forward(double tokens) const { return tokens * s_.layers * s_.layer_flops() / pace_.forward; }
  double one_layer(double tokens) const { return tokens * s_.layer_flops() / pace_.forward; }
  double ffn(double tokens) const { return tokens * s_.ffn_flops() / pace_.forward; }
  /// Logits of `models` models for every token.
  double head(double tokens, double models) const { return tokens * models * s_.head_flops() / pace_.head; }

  // Of one layer.
  double partition() const {
    const double features = work_.recipe.stage1.feature_tokens;
    const double clusters = 12 * 2 * features * s_.f * s_.experts / pace_.forward;
    return ffn(rows(rows_for_statistics) + features) + clusters + clustering_s_per_neuron * s_.f;
  }
  double router() const {
    const double fitted = rows(rows_for_router(work_.config.hidden_size));
    double flops = fitted * (2.0 / 3 * s_.ffn_flops() + 2 * s_.d * s_.d);
    for (const int rank : work_.recipe.stage1.router_ranks)
      flops += 5 * 6 * fitted * rank * (s_.d + s_.experts);
    return router_overhead * flops / pace_.forward +
           (work_.recipe.stage1.router_ranks.empty() ? 0 : choice());
  }
  double compensation() const { return 2 * (choice() + normal_equations(rows(rows_for_choices))); }
  double refit() const {
    return work_.recipe.stage1.refit ? ffn(s_.tokens) + normal_equations(s_.tokens) : 0;
  }
  double distillation() const {
    const Stage1& stage1 = work_.recipe.stage1;
    if (!stage1.distil) return 0;
    return stage1.epochs * s_.tokens * 14 * s_.d * s_.f / (pace_.distillation * gain());
  }

  /// Estimating sensitivities takes a forward pass, a backward pass that recomputes, the products of each
  /// converted layer, and what every candidate makes of them.
  double estimating(double tokens) const {
    const double converted = static_cast<double>(work_.recipe.layers.size());
    // Weights that move along the slider have twice the products, and each candidate has hidden neurons of
    // its own.
    const bool move = work_.recipe.stage1.elastic && work_.recipe.finish.shift && finish_tokens(work_) > 0;
    const double hidden = tokens * s_.f * (move ? candidates_of_layer : 1) * moved_neuron_s / work_.threads;
    return forward(tokens) + tokens * s_.layers * (s_.layer_flops() * 2 + s_.ffn_flops()) / pace_.backward +
           head(tokens, 2) + converted * ((move ? 2 : 1) * ffn(tokens) + hidden);
  }
  /// A forward and a backward pass of the finish through all layers.
  double training(double tokens) const {
    const double flops = s_.layers * (2 * s_.layer_flops() + s_.ffn_flops());
    return tokens * flops / (pace_.backward * gain());
  }
  /// Scores of `models` models with experts beside the dense one.
  double scoring(double tokens, double models) const {
    return (1 + models) * forward(tokens) + head(tokens, 1 + models);
  }

 private:
  /// As many rows as there are, but at most `enough`.
  double rows(std::int64_t enough) const { return std::min(s_.tokens, static_cast<double>(enough)); }
  /// A choice on a part of the rows.
  double choice() const { return 3 * ffn(rows(rows_for_choices)); }
  double normal_equations(double rows) const {
    const double n = s_.f + s_.experts;
    const auto passes = static_cast<double>(thresholds_of_row(static_cast<std::int64_t>(std::max(1.0, rows)),
                                                              static_cast<std::int64_t>(n),
                                                              std::ssize(work_.recipe.stage1.levels)));
    const double solve = n * n * (n / 3 + 2 * s_.d);  // in fp64, at half the pace
    return (rows * passes * n * (n + 2 * s_.d) + 2 * solve) / pace_.equations;
  }
  double gain() const {
    return work_.recipe.compute == "bf16" ? std::max(1.0, gain_kept * pace_.bf16_gain) : 1;
  }

  static constexpr double clustering_s_per_neuron = 1e-4;  // the assignment, by one thread
  static constexpr double router_overhead = 1.5;           // many small products
  static constexpr double moved_neuron_s = 4e-9;           // h of one neuron in a candidate, by one thread
  static constexpr double gain_kept = 0.6;  // of what bf16 gains in products: the rest does not get faster

  const Workload& work_;
  Shapes s_;
  Pace pace_;
};

/// Operations of the finish for one calibration token.
double finish_flops(const Workload& work) {
  const Shapes s(work);
  return work.recipe.finish.epochs * (s.layers * (2 * s.layer_flops() + s.ffn_flops()) + 3 * s.head_flops());
}

/// Held-out tokens of the tables, thinned by `windows_of`.
double thinned_tokens(const Workload& work, std::int64_t (*windows_of)(std::int64_t, std::int64_t)) {
  const auto files = std::max<std::int64_t>(1, std::ssize(work.recipe.text));
  const auto windows = work.recipe.splits().tables / work.recipe.window;
  return static_cast<double>(work.recipe.window * windows_of(windows, files));
}

double activity_tokens(const Workload& work) { return thinned_tokens(work, activity_windows); }

}  // namespace

double measuring_tokens(const Workload& work) { return thinned_tokens(work, sensitivity_windows); }

std::uint64_t layer_bytes(const Workload& work) {
  const Shapes s(work);
  const double weights = parameters_of_ffn(s) + s.experts * s.d;  // gate, up, down, compensation
  const auto router_of = [&](int rank) {
    return router_parameters(work.config.hidden_size, work.recipe.routed(), rank);
  };
  double router = router_of(0);  // the larger of the linear router and those with hidden units
  for (const int rank : work.recipe.stage1.router_ranks) router = std::max(router, router_of(rank));
  const double permutation = 8 * s.f;  // int64
  return static_cast<std::uint64_t>(weights * work.weight_bytes + 4 * router + permutation + 4096);
}

std::uint64_t all_layers_bytes(const Workload& work) { return work.recipe.layers.size() * layer_bytes(work); }

std::uint64_t finished_bytes(const Workload& work) {
  const bool shifts = work.recipe.stage1.elastic && work.recipe.finish.shift;
  return (shifts ? 2 : 1) * all_layers_bytes(work);
}

std::uint64_t text_bytes(const Workload& work) {
  // A token has four to five characters. Half as much again allows for text beyond the tokens asked for.
  return work.recipe.self_text()
             ? static_cast<std::uint64_t>(7 * (work.recipe.tokens + work.recipe.held_out_tokens))
             : 0;
}

std::uint64_t table_bytes(const Workload& work) {
  const Shapes s(work);
  // The tables hold per layer two histograms of the router and four of single inputs, three numbers per
  // expert, one per pair of experts, the candidates, and some 70 thresholds of single inputs.
  const double per_layer = 20 * (6 * 258 + 3 * 70 + 3 * s.experts + s.experts * s.experts) +
                           200 * (2 * candidates_of_layer + s.experts);
  return static_cast<std::uint64_t>(100e3 + s.layers * per_layer);
}

StepSeconds time_estimate(const Workload& work) {
  const Shapes s(work);
  const Clock clock(work);
  const double converted = static_cast<double>(work.recipe.layers.size());
  StepSeconds time;
  // Sampling runs at a small batch, with about a tenth of the arithmetic throughput.
  time.text = work.recipe.self_text()
                  ? 10 * clock.forward(static_cast<double>(work.recipe.tokens + work.recipe.held_out_tokens))
                  : 1e-6 * s.tokens;
  time.passed_layer = clock.one_layer(s.tokens);
  time.converted_layer = time.passed_layer + clock.partition() + clock.router() + clock.compensation() +
                         clock.refit() + clock.distillation();
  // The second sweep runs every FFN once for the rows and once more on the way.
  if (work.recipe.stage1.second_sweep)
    time.second_sweep = converted * (time.passed_layer + clock.ffn(s.tokens) + clock.refit());
  if (const auto tokens = static_cast<double>(finish_tokens(work)); tokens > 0) {
    const double epochs = work.recipe.finish.epochs;
    const double judged = tokens * work.recipe.stage1.validation_share;
    time.finish = clock.estimating(finish_table_tokens) + clock.forward(tokens);
    if (work.recipe.finish.block > 0)
      time.finish +=
          clock.forward(tokens) + epochs * clock.training(tokens) + (1 + epochs) * clock.forward(judged);
    else
      time.finish +=
          epochs * (clock.training(tokens) + clock.head(tokens, 3)) + (1 + epochs) * clock.scoring(judged, 4);
  }
  time.profile = profile_passes * clock.forward(s.tables);
  // Activity is counted at every threshold. The estimate is always made, even when sensitivity is also
  // measured.
  const bool measures = measures_sensitivity(work);
  time.sensitivity = thresholds_of_layer * clock.forward(activity_tokens(work)) +
                     clock.estimating(measures ? measuring_tokens(work) : s.tables);
  if (measures)
    time.sensitivity += converted * candidates_of_layer *
                        (clock.forward(measuring_tokens(work)) / 2 + clock.head(measuring_tokens(work), 1));
  // Decoding with different numbers of experts and sequences takes as long as some 2,000 dense steps, of a
  // large model by its first layers.
  const double bytes =
      static_cast<double>(work.config.parameters()) * (work.config.dtype == "bfloat16" ? 2 : 4);
  time.latency = 3 + 2000 * std::min(bytes, 1e9) / (read_bytes_per_s * work.threads);
  time.frontier = clock.scoring(s.tables, joint_policies);
  return time;
}

double activated_estimate(const Workload& work, double mean_experts) {
  const SliceSizes sizes =
      slice_sizes(work.config.intermediate_size, work.recipe.experts, work.recipe.shared);
  MoeShape layer;
  layer.hidden_size = work.config.hidden_size;
  layer.shared_neurons = sizes.shared_neurons;
  layer.routed = work.recipe.routed();
  layer.expert_neurons = sizes.expert_neurons;
  layer.router_parameters = router_parameters(layer.hidden_size, layer.routed);
  layer.neuron_biases = work.config.mlp_bias;
  layer.output_bias = true;
  const double saved =
      static_cast<double>(work.config.ffn_parameters_per_layer()) - layer.activated_parameters(mean_experts);
  return static_cast<double>(work.config.activated_parameters()) -
         static_cast<double>(work.recipe.layers.size()) * saved;
}

bool measures_sensitivity(const Workload& work) {
  if (work.recipe.sensitivity != "auto") return work.recipe.sensitivity == "measured";
  const auto converted = static_cast<double>(work.recipe.layers.size());
  return converted * measuring_flops_per_layer(Shapes(work), work) < measured_limit_flops;
}

int finish_block(const Workload& work, std::uint64_t memory) {
  if (work.recipe.finish.use != "on") return 0;
  const auto fits = [&](int block) {
    const auto use = finish_memory(work, block, static_cast<double>(work.tokens));
    return program_bytes + use.needed <= static_cast<double>(memory);
  };
  if (fits(0)) return 0;
  auto block = static_cast<int>(work.config.layers);
  while (block > 1 && !fits(block)) --block;
  return block;
}

std::int64_t finish_tokens(const Workload& work) {
  const Finish& finish = work.recipe.finish;
  if (work.recipe.layers.empty()) return 0;
  if (finish.use != "auto") return finish.use == "on" ? work.tokens : 0;
  const double in_time = finish_limit_flops / finish_flops(work);
  const double left = finish_limit_bytes - finish_memory(work, finish.block, 0).needed;
  if (left < 0) return 0;
  // By blocks the tokens take no memory: streams may be kept in scratch files.
  const double in_memory = finish.block > 0 ? static_cast<double>(work.tokens) : left / (4 * Shapes(work).d);
  const double affordable = std::min(in_time, in_memory);
  if (affordable < finish_least_tokens) return 0;
  return std::min(work.tokens, static_cast<std::int64_t>(affordable));
}

}  // namespace ladimo
