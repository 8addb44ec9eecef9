#include "profile/latency.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "base/machine.h"
#include "evaluate/timing.h"
#include "model/kv_cache.h"
#include "model/prepared_ffn.h"
#include "model/routing_weights.h"

namespace ladimo {
namespace {

constexpr std::int64_t decode_tokens = 32;
constexpr std::int64_t longest_prompt = 128;
constexpr int minimum_rounds = 7;
constexpr double budget_s = 1.5;

/// Seconds outside the FFN: one layer's attention, token by token and for a prompt, and the head for one
/// token.
struct OtherSeconds {
  double decode_layer = 0, prompt_layer = 0, head = 0;
};

OtherSeconds time_others(const WeightSource& source, const DecoderLayer& layer, std::int64_t prompt_tokens) {
  const auto d = source.config().hidden_size;
  const auto options = at::TensorOptions(source.device()).dtype(source.dtype());
  const auto prompt = at::randn({1, prompt_tokens, d}, options);
  const auto token = at::randn({1, 1, d}, options);
  const auto steps = std::min(decode_tokens, source.config().max_positions - prompt_tokens);
  KvCache cache(source.config(), 1, prompt_tokens + steps, source.device(), source.dtype());
  const auto prefill = [&] {
    cache.clear();
    layer.attend(prompt, source.rotary(), &cache);
  };
  const auto prefill_and_decode = [&] {
    prefill();
    for (std::int64_t i = 0; i < steps; ++i) layer.attend(token, source.rotary(), &cache);
  };
  const auto weights = source.head();
  const auto head = [&] { weights.logits(token.flatten(0, 1)); };
  const auto seconds = median_seconds({prefill, prefill_and_decode, head}, minimum_rounds, budget_s);
  return {std::max(0.0, seconds[1] - seconds[0]) / static_cast<double>(std::max<std::int64_t>(1, steps)),
          seconds[0], seconds[2]};
}

}  // namespace

LatencyTable measure_latency(const WeightSource& source, const MoeLayers& moe, int layer,
                             const Context& context) {
  const auto dense_layer = source.layer(layer);
  const auto weights = moe.load(layer);
  const auto prompt_tokens =
      std::min(longest_prompt, std::max<std::int64_t>(1, source.config().max_positions - decode_tokens));
  const auto x = at::randn({prompt_tokens, source.config().hidden_size},
                           at::TensorOptions(source.device()).dtype(source.dtype()));
  std::vector<at::Tensor> tokens;
  for (std::int64_t t = 0; t < decode_tokens; ++t)
    tokens.push_back(x.slice(0, t % prompt_tokens, t % prompt_tokens + 1));

  std::vector<std::shared_ptr<const FeedForward>> ffns = {prepared(dense_layer.ffn)};
  for (const double threshold : thresholds_at(weights->route(x), {1e-3, 0.1, 0.25, 0.4, 0.6, 0.8, 0.95}))
    ffns.push_back(prepared(std::make_shared<MoeLayer>(weights, LayerPolicy::above(threshold))));
  std::vector<std::function<void()>> runs;
  for (const auto& ffn : ffns) {
    runs.emplace_back([&tokens, &ffn] {
      for (const auto& token : tokens) ffn->forward(token);
    });
    runs.emplace_back([&x, &ffn] { ffn->forward(x); });
  }
  context.check();
  const auto seconds = median_seconds(runs, minimum_rounds, budget_s);
  context.check();
  const auto others = time_others(source, dense_layer, prompt_tokens);

  LatencyTable table;
  table.machine = source.device().is_cpu() ? processor_name() : source.device().str();
  table.date = now_iso();
  table.threads = at::get_num_threads();
  table.prefill_tokens = static_cast<int>(prompt_tokens);
  const auto layers = static_cast<double>(source.config().layers);
  table.other_decode_ms = 1e3 * (others.decode_layer * layers + others.head);
  table.other_prefill_ms =
      1e3 * (others.prompt_layer * layers + others.head) / static_cast<double>(prompt_tokens);
  for (std::size_t i = 0; i < ffns.size(); ++i) {
    const double decode_ms = 1e3 * seconds[2 * i] / decode_tokens;
    const double prefill_ms = 1e3 * seconds[2 * i + 1] / static_cast<double>(prompt_tokens);
    if (i == 0) {
      table.dense_decode_ms = decode_ms;
      table.dense_prefill_ms = prefill_ms;
    } else {
      const double mean_experts = ffns[i]->forward(x).experts.mean().item<double>();
      // A router that hardly tells experts apart gives the same number at several thresholds.
      if (table.points.empty() || mean_experts > table.points.back().mean_experts)
        table.points.push_back({mean_experts, decode_ms, prefill_ms});
    }
  }
  return table;
}

}  // namespace ladimo
