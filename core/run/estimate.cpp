#include "run/estimate.h"

#include <algorithm>
#include <iterator>

#include "policy/moe_shape.h"
#include "policy/tradeoff_table.h"
#include "run/memory_use.h"

namespace ladimo {
namespace {

// Sustained fp32 operations per second and thread, as measured on a small model (d 192). Large GEMMs reach
// several times as much. Fitting passes over memory more often than a forward pass.
constexpr double fitting_flops = 32e9, forward_flops = 60e9;
constexpr double profile_passes = 4;  // forward passes of the routing profile
// `--sensitivity auto` measures below this (docs/method.md "Stage 2").
constexpr double read_bytes_per_s = 12e9;  // by one thread
constexpr double measured_limit_s = 300, reference_threads = 2;
// `finish: auto` trains below these.
constexpr double finish_limit_s = 900, finish_limit_bytes = 8e9;
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

// Estimating sensitivities takes a forward pass, a backward pass that recomputes, and each candidate's own
// layer.
double estimating_flops(const Shapes& s, const Workload& work, double tokens) {
  const double converted = static_cast<double>(work.recipe.layers.size());
  return tokens * (5 * s.model_flops() + candidates_of_layer * converted * s.ffn_flops());
}

// Before the finish trains, it estimates the sensitivities of its candidates.
double finish_table_seconds(const Shapes& s, const Workload& work, double threads) {
  return estimating_flops(s, work, static_cast<double>(finish_table_tokens)) / (fitting_flops * threads);
}

// Each epoch takes per token a forward pass, twice as much for the gradients, and the teacher's logits.
// Judging takes about as long as one epoch.
double finish_seconds_per_token(const Shapes& s, const Workload& work, double threads) {
  return (1 + work.recipe.finish.epochs) * (3 * s.model_flops() + s.head_flops()) / (forward_flops * threads);
}

}  // namespace

double measuring_tokens(const Workload& work) {
  const auto files = std::max<std::int64_t>(1, std::ssize(work.recipe.text));
  const auto windows = work.recipe.splits().tables / work.recipe.window;
  return static_cast<double>(work.recipe.window * sensitivity_windows(windows, files));
}

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
  // The tables hold per layer two histograms, three numbers per expert, one per pair of experts, and the
  // candidates.
  const double per_layer =
      20 * (2 * 258 + 3 * s.experts + s.experts * s.experts) + 200 * (2 * candidates_of_layer + s.experts);
  return static_cast<std::uint64_t>(100e3 + s.layers * per_layer);
}

StepSeconds time_estimate(const Workload& work) {
  const Shapes s(work);
  const Stage1& stage1 = work.recipe.stage1;
  const auto fitting = [&](double flops) { return flops / (fitting_flops * work.threads); };
  const auto forward = [&](double flops) { return flops / (forward_flops * work.threads); };
  const double neurons = s.f + s.experts;
  const double levels = static_cast<double>(stage1.levels.size());
  // Clustering takes ten rounds of distances. Router and compensation take all experts' outputs once; small
  // routers take them once more, and five rounds of training. The refit takes the normal equations of every
  // level and one solve, the distillation forward, backward and the weights' gradients.
  const double clusters = 10 * 2 * stage1.feature_tokens * s.f * s.experts;
  const double experts = s.tokens * (s.ffn_flops() + 2 * s.d * s.d);
  double routers = stage1.router_ranks.empty() ? 0 : experts;
  for (const int rank : stage1.router_ranks) routers += 5 * 6 * s.tokens * rank * (s.d + s.experts);
  const double closed_form = s.tokens * levels * 2 * neurons * neurons + neurons * neurons * neurons;
  const double refit = stage1.refit ? closed_form : 0;
  const double distil = stage1.distil ? stage1.epochs * s.tokens * 4 * s.ffn_flops() : 0;

  StepSeconds time;
  // Sampling runs at a small batch, with about a tenth of the arithmetic throughput.
  time.text = work.recipe.self_text()
                  ? fitting(10 * s.model_flops() *
                            static_cast<double>(work.recipe.tokens + work.recipe.held_out_tokens))
                  : 1e-6 * s.tokens;
  time.passed_layer = forward(s.tokens * s.layer_flops());
  time.converted_layer = time.passed_layer + fitting(clusters + experts + routers + refit + distil);
  // The second sweep runs every FFN once for the rows and once more on the way.
  if (stage1.second_sweep)
    time.second_sweep = static_cast<double>(work.recipe.layers.size()) *
                        (forward(s.tokens * (s.layer_flops() + s.ffn_flops())) + fitting(closed_form));
  if (const auto tokens = finish_tokens(work); tokens > 0)
    time.finish = finish_table_seconds(s, work, work.threads) +
                  static_cast<double>(tokens) * finish_seconds_per_token(s, work, work.threads);
  time.profile = forward(profile_passes * s.tables * s.model_flops());
  // The estimate is always made, even when sensitivity is also measured.
  const double converted = static_cast<double>(work.recipe.layers.size());
  const bool measures = measures_sensitivity(work);
  time.sensitivity = fitting(estimating_flops(s, work, measures ? measuring_tokens(work) : s.tables) +
                             (measures ? converted * measuring_flops_per_layer(s, work) : 0));
  // Some 700 tokens are decoded with different numbers of experts, of a large model by its first layers.
  const double bytes =
      static_cast<double>(work.config.parameters()) * (work.config.dtype == "bfloat16" ? 2 : 4);
  time.latency = 3 + 700 * std::min(bytes, 1e9) / (read_bytes_per_s * work.threads);
  time.frontier = forward(2 * joint_policies * s.tables * s.model_flops());
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
  const double flops =
      static_cast<double>(work.recipe.layers.size()) * measuring_flops_per_layer(Shapes(work), work);
  return flops / (fitting_flops * reference_threads) < measured_limit_s;
}

std::int64_t finish_tokens(const Workload& work) {
  if (work.recipe.finish.use != "auto") return work.recipe.finish.use == "on" ? work.tokens : 0;
  const Shapes s(work);
  const double in_time = (finish_limit_s - finish_table_seconds(s, work, reference_threads)) /
                         finish_seconds_per_token(s, work, reference_threads);
  const double in_memory = (finish_limit_bytes - finish_memory(work, 0)) / (4 * s.d);
  const double affordable = std::min(in_time, in_memory);
  if (affordable < finish_least_tokens) return 0;
  return std::min(work.tokens, static_cast<std::int64_t>(affordable));
}

}  // namespace ladimo
