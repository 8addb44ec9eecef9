#include "run/memory_use.h"

#include <algorithm>
#include <cmath>

#include "base/chunking.h"

namespace ladimo {
namespace {

constexpr double fp32 = 4, fp64 = 8;
constexpr double adam_moments = 2;

/// The sizes of a model's parts, in bytes of fp32 where they are not counts.
struct Parts {
  double d, f, window, vocab;
  double ffn, attention, heads, key_values, head, head_dim;
  double rows;           // rows that are computed at once
  double backward_rows;  // rows that are differentiated at once
  double queries;        // queries whose attention scores are computed at once

  Parts(const ModelConfig& config, std::int64_t positions)
      : d(static_cast<double>(config.hidden_size)),
        f(static_cast<double>(config.intermediate_size)),
        window(static_cast<double>(positions)),
        vocab(static_cast<double>(config.vocab_size)) {
    const auto q = static_cast<double>(config.heads * config.head_dim);
    heads = static_cast<double>(config.heads);
    key_values = static_cast<double>(config.kv_heads * config.head_dim);
    ffn = fp32 * static_cast<double>(config.ffn_parameters_per_layer());
    attention = fp32 * (2 * d * q + 2 * d * key_values);
    head = fp32 * d * vocab;
    head_dim = static_cast<double>(config.head_dim);
    const auto in_windows = [&](std::int64_t copies) {
      return static_cast<double>(chunk_windows(config.intermediate_size, positions, copies) * positions);
    };
    rows = in_windows(1);
    backward_rows = in_windows(2);
    queries =
        static_cast<double>(std::min({positions, chunk_queries, chunk_score_rows(config.heads, positions)}));
  }

  /// One layer, with the rotary tables of sine and cosine.
  double layer() const { return attention + ffn + 2 * fp32 * window * head_dim; }
  /// What loading a layer takes in addition: one tensor of the checkpoint as it is stored, beside its fp32
  /// copy.
  double loading() const { return fp32 * d * f; }
  /// What a forward pass holds of a chunk: hidden states, gate, up and their product, queries, keys and
  /// values.
  double forward() const { return fp32 * rows * (4 * f + 6 * d + 2 * key_values); }
  /// What autograd keeps of a chunk: the intermediate results of the FFN and of the attention, and the
  /// scores, of which causality leaves half. Every group of queries copies the keys and values that it sees
  /// where a chunk holds several windows.
  double backward() const {
    const double copied = backward_rows > window ? window / queries * key_values : 0;
    return fp32 * backward_rows * (9 * f + 14 * d + copied + heads * window / 2);
  }
};

/// How many of `count` models pass a chunk at once.
double at_once(const Parts& p, int threads, double count, double rows) {
  return pieces_at_once(threads, static_cast<std::int64_t>(count),
                        static_cast<std::int64_t>(fp32 * rows * p.f));
}

double stream(const Parts& p, double tokens, double bytes) { return bytes * tokens * p.d; }

double stream_bytes(const Recipe& recipe) { return recipe.stream == "bfloat16" ? 2 : fp32; }

MemoryUse stage1(const Workload& work, const Parts& p) {
  const Stage1& settings = work.recipe.stage1;
  const auto tokens = static_cast<double>(work.tokens);
  // Columns of the normal equations, with a vector per expert.
  const double columns = p.f + work.recipe.routed();
  // The hidden neurons of the sampled tokens, the tensors that they are computed from, and their marks.
  const double features = fp32 * settings.feature_tokens * (6 * p.f + p.d);
  // A'A, which is overwritten by its factor, and three matrices: A'Y and two of the solution, its start and
  // their product.
  const double refit = settings.refit ? fp64 * columns * columns + 3 * fp64 * columns * p.d : 0;
  // Beside the best weights so far: the student, its gradients and moments, and a batch with its intermediate
  // results.
  const double distil =
      settings.distil ? (2 + adam_moments) * p.ffn + fp32 * settings.batch * (9 * p.f + 4 * p.d) : 0;
  // The routing weights and targets of all tokens.
  const double routing = 6 * fp32 * tokens * work.recipe.routed();
  // The dense layer is released before its converted form is fitted.
  const double passing = p.layer() + std::max(p.loading() + p.forward(), p.ffn + features);
  return {program_bytes + routing + std::max(passing, p.ffn + std::max(refit, distil)),
          3 * stream(p, tokens, stream_bytes(work.recipe))};
}

/// The number of extra copies of a layer's FFN when its weights move along the slider: the shifts, and one
/// for each of `policies` policies at a time. 0 when they do not move.
double moved_copies(const Workload& work, double policies) {
  const bool moves = finish_tokens(work) > 0 && work.recipe.finish.shift && work.recipe.stage1.elastic;
  return moves ? 1 + policies : 0;
}

MemoryUse profile(const Workload& work, const Parts& p) {
  const auto tables = static_cast<double>(work.recipe.splits().tables);
  const double routing = 6 * fp32 * tables * work.recipe.routed();
  return {program_bytes + p.layer() + p.ffn * (1 + moved_copies(work, 0)) + p.forward() + routing,
          stream(p, tables, stream_bytes(work.recipe))};
}

MemoryUse counting(const Workload& work, const Parts& p) {
  const double tokens = std::ceil(static_cast<double>(work.recipe.splits().tables) / 2);
  return {program_bytes + p.layer() + p.ffn * (1 + moved_copies(work, thresholds_of_layer)) +
              p.forward() * at_once(p, work.threads, thresholds_of_layer, p.rows),
          (1 + thresholds_of_layer) * stream(p, tokens, stream_bytes(work.recipe))};
}

MemoryUse estimating(const Workload& work, const Parts& p) {
  const auto tables = static_cast<double>(work.recipe.splits().tables);
  // The blocks of a chunk that are compared with the dense FFN side by side: what neurons contribute, and its
  // parts, which are straight lines where weights move.
  const double moved = moved_copies(work, 0);
  const double together = at_once(p, work.threads, p.backward_rows / rows_compared, rows_compared);
  const double comparing = together * fp32 * rows_compared * (moved > 0 ? 9 : 5) * p.f;
  const double head = p.head + fp32 * 4 * 8192 * std::min(p.vocab, 2048.0);
  // The inputs of all products and the gradients with respect to them.
  const double inputs = fp32 * p.backward_rows * 2 * (3 * p.d + p.f);
  return {program_bytes + std::max(head, p.layer() + p.ffn * (1 + moved) + p.backward() + inputs + comparing),
          static_cast<double>(work.config.layers + 1) * stream(p, tables, stream_bytes(work.recipe)) +
              stream(p, tables, fp32)};
}

/// The memory to score `policies` converted models beside the dense one.
MemoryUse scoring(const Parts& p, double policies, double tokens, double bytes, double moved, int threads) {
  const double together = at_once(p, threads, policies, p.rows);
  // The logits of some rows of the dense model and of those that are compared at once, four matrices each,
  // and the last hidden states of all models for the windows of a chunk.
  const double matrix =
      fp32 * static_cast<double>(chunk_logit_rows(static_cast<std::int64_t>(p.vocab))) * p.vocab;
  const double compared =
      pieces_at_once(threads, static_cast<std::int64_t>(policies), static_cast<std::int64_t>(matrix));
  const double logits = (2 + compared) * 4 * matrix + (1 + policies) * fp32 * p.rows * p.d;
  return {program_bytes + std::max(p.layer() + p.ffn * (1 + moved) + p.forward() * together, p.head + logits),
          (1 + policies) * stream(p, tokens, bytes)};
}

}  // namespace

MemoryUse finish_memory(const Workload& work, int block, double tokens) {
  // Copies of the FFNs' weights: the weights, the sums of their gradients, Adam's moments, the best so far,
  // rounded too, and a rounded copy. Shifts double all of these. The gradients of one position come to that,
  // and the weights that run there.
  constexpr double each = 1 + 1 + adam_moments + 2 + 1, of_position = 2;
  const bool shifts = work.recipe.stage1.elastic && work.recipe.finish.shift;
  const double copies = (shifts ? 2 : 1) * each + of_position;
  const auto& config = work.config;
  const Parts p(config, work.recipe.window);
  const auto layers =
      static_cast<double>(block > 0 ? std::min<std::int64_t>(block, config.layers) : config.layers);
  const auto attention = static_cast<double>(config.heads * config.head_dim);
  const double tokens_of_position = std::max(p.window, work.recipe.finish.batch / 4.0);
  const double trained =
      layers * fp32 *
      (copies * 3 * p.d * p.f + tokens_of_position * (8 * p.f + 12 * p.d + 2 * p.window * attention / p.d));
  if (block > 0) return {trained + layers * p.layer(), 2 * stream(p, tokens, stream_bytes(work.recipe))};
  return {trained + fp32 * (static_cast<double>(config.parameters()) + tokens * p.d), 0};
}

std::vector<MemoryUse> memory_uses(const Workload& work) {
  const Parts p(work.config, work.recipe.window);
  const auto tables = static_cast<double>(work.recipe.splits().tables);
  const double bytes = stream_bytes(work.recipe);
  std::vector<MemoryUse> uses = {
      stage1(work, p), profile(work, p), estimating(work, p),
      scoring(p, joint_policies, tables, bytes, moved_copies(work, joint_policies), work.threads)};
  if (work.recipe.recalibrate) uses.push_back(counting(work, p));
  if (measures_sensitivity(work))
    uses.push_back(scoring(p, candidates_of_layer * static_cast<double>(work.recipe.layers.size()),
                           measuring_tokens(work), bytes, moved_copies(work, candidates_of_layer),
                           work.threads));
  if (const auto tokens = finish_tokens(work); tokens > 0) {
    auto [needed, streams] = finish_memory(work, work.recipe.finish.block, static_cast<double>(tokens));
    uses.push_back({program_bytes + needed, streams});
  }
  if (work.recipe.self_text())
    uses.push_back({program_bytes + fp32 * static_cast<double>(work.config.parameters()), 0});
  return uses;
}

MemoryUse evaluation_memory(const ModelConfig& config, std::int64_t window, std::int64_t tokens,
                            int threads) {
  const Parts p(config, window);
  return scoring(p, 1, static_cast<double>(tokens), fp32, 2, threads);
}

std::uint64_t stream_budget(const std::vector<MemoryUse>& uses, std::uint64_t memory) {
  const double most = std::ranges::max_element(uses, {}, &MemoryUse::needed)->needed;
  return static_cast<std::uint64_t>(std::max(0.0, static_cast<double>(memory) - most));
}

std::uint64_t peak_memory(const std::vector<MemoryUse>& uses, std::uint64_t budget) {
  double peak = 0;
  for (const MemoryUse& use : uses)
    peak = std::max(peak, use.needed + std::min(use.streams, static_cast<double>(budget)));
  return static_cast<std::uint64_t>(peak);
}

std::uint64_t scratch_bytes(const std::vector<MemoryUse>& uses, std::uint64_t budget) {
  double most = 0;
  for (const MemoryUse& use : uses)
    if (use.streams > static_cast<double>(budget)) most = std::max(most, use.streams);
  return static_cast<std::uint64_t>(most);
}

}  // namespace ladimo
