#include "profile/latency.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <ATen/Parallel.h>

#include "base/machine.h"
#include "base/random.h"
#include "decode/decoder.h"
#include "evaluate/timing.h"

namespace ladimo {
namespace {

constexpr std::int64_t decode_tokens = 16, longest_prompt = 128;
constexpr double activities[] = {0, 0.1, 0.25, 0.4, 0.6, 0.8, 1};  // shares of the routed experts
constexpr int minimum_rounds = 5;
constexpr double budget_s = 3;
// Weights that are timed together: more than caches hold, so that they come from memory as in the whole
// model.
constexpr double timed_bytes = 512e6;

/// A decoder with the same policy in every layer, and what its work takes.
struct Timed {
  Decoder decoder;
  KvCache cache;
  double mean_experts = 0;
  double decode_s = 0, prompt_s = 0;  // one token; the prompt

  Timed(Decoder made, std::int64_t capacity)
      : decoder(std::move(made)), cache(decoder.make_cache(1, capacity)) {}
  void decode(std::span<const std::int32_t> ids) {
    cache.clear();
    for (const std::int32_t& id : ids) decoder.read({&id, 1}, cache);
  }
  void prefill(std::span<const std::int32_t> ids) {
    cache.clear();
    decoder.read(ids, cache);
  }
};

/// As many layers as fit into `timed_bytes` with their dense and their converted FFNs.
std::int64_t layers_to_time(const ModelConfig& config, at::ScalarType dtype) {
  const auto layer = static_cast<double>(config.activated_parameters()) / static_cast<double>(config.layers) +
                     2 * static_cast<double>(config.ffn_parameters_per_layer());
  const double most = timed_bytes / (layer * static_cast<double>(at::elementSize(dtype)));
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(most), 1, config.layers);
}

std::vector<std::int32_t> random_ids(std::int64_t count, std::int64_t vocab) {
  Random random(0, "latency");
  std::vector<std::int32_t> ids(static_cast<std::size_t>(count));
  for (auto& id : ids) id = static_cast<std::int32_t>(random.below(static_cast<std::uint64_t>(vocab)));
  return ids;
}

/// One converted layer in the place of all, without the weights' movement along the slider, which costs
/// nothing once a policy is chosen.
std::shared_ptr<const MoeWeights> at_rest(const MoeLayers& moe, int layer) {
  MoeWeights weights = *moe.load(layer);
  weights.gate_shift = weights.up_shift = weights.down_shift = weights.activity = at::Tensor();
  return std::make_shared<const MoeWeights>(std::move(weights));
}

void time_all(std::vector<Timed>& all, std::span<const std::int32_t> prompt) {
  const auto text = prompt.first(std::min<std::size_t>(prompt.size(), decode_tokens));
  std::vector<std::function<void()>> runs;
  for (Timed& timed : all) {
    runs.emplace_back([&timed, text] { timed.decode(text); });
    runs.emplace_back([&timed, prompt] { timed.prefill(prompt); });
  }
  const auto seconds = median_seconds(runs, minimum_rounds, budget_s);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].decode_s = seconds[2 * i] / static_cast<double>(text.size());
    all[i].prompt_s = seconds[2 * i + 1];
  }
}

}  // namespace

LatencyTable measure_latency(const WeightSource& source, const MoeLayers& moe,
                             const std::vector<int>& converted, const Context& context) {
  const ModelConfig& config = source.config();
  const std::int64_t layers = layers_to_time(config, source.dtype());
  const auto prompt = random_ids(std::min(longest_prompt, config.max_positions), config.vocab_size);
  const auto capacity = std::ssize(prompt);
  std::optional<PreparedModel> prepared;
  if (Decoder::can_prepare(source, {})) prepared.emplace(source);
  std::vector<std::shared_ptr<const MoeWeights>> weights;
  for (std::int64_t l = 0; l < layers; ++l) {
    context.check();
    weights.push_back(at_rest(moe, converted[static_cast<std::size_t>(l) % converted.size()]));
  }
  const auto make = [&](std::optional<int> k, std::int64_t count) {
    Decoder::Ffns ffns;
    for (std::int64_t l = 0; k && l < count; ++l)
      ffns.push_back(std::make_shared<MoeLayer>(weights[static_cast<std::size_t>(l)], LayerPolicy::top(*k)));
    return Timed(prepared ? Decoder(*prepared, ffns, count) : Decoder(source, ffns, count), capacity);
  };
  std::vector<Timed> all;
  all.push_back(make({}, 0));  // embedding and head alone
  all.push_back(make({}, layers));
  const auto routed = static_cast<double>(weights.front()->routed());
  for (const double activity : activities) {
    context.check();
    const int k = static_cast<int>(std::lround(activity * routed));
    if (all.size() > 2 && k <= all.back().mean_experts) continue;
    all.push_back(make(k, layers));
    all.back().mean_experts = k;
  }
  time_all(all, prompt);
  context.check();

  const Timed &head = all[0], &dense = all[1];
  const auto timed_layers = static_cast<double>(layers), prompt_tokens = static_cast<double>(prompt.size());
  // The weights of an FFN among those of a layer. It parts the time of a dense layer in two; what a policy
  // saves does not depend on it.
  const double ffn = static_cast<double>(config.ffn_parameters_per_layer());
  const double share = ffn * static_cast<double>(config.layers) /
                       (static_cast<double>(config.activated_parameters() - config.hidden_size) -
                        static_cast<double>(config.vocab_size * config.hidden_size));
  const auto layer_ms = [&](double all_s, double head_s) { return 1e3 * (all_s - head_s) / timed_layers; };
  LatencyTable table;
  table.machine = source.device().is_cpu() ? processor_name() : source.device().str();
  table.date = now_iso();
  table.threads = at::get_num_threads();
  table.prefill_tokens = static_cast<int>(prompt.size());
  const double decode_layer = layer_ms(dense.decode_s, head.decode_s);
  const double prefill_layer = layer_ms(dense.prompt_s, head.prompt_s) / prompt_tokens;
  table.dense_decode_ms = share * decode_layer;
  table.dense_prefill_ms = share * prefill_layer;
  const auto count = static_cast<double>(config.layers);
  table.other_decode_ms = 1e3 * head.decode_s + (1 - share) * decode_layer * count;
  table.other_prefill_ms = 1e3 * head.prompt_s / prompt_tokens + (1 - share) * prefill_layer * count;
  for (auto timed = all.begin() + 2; timed != all.end(); ++timed)
    table.points.push_back(
        {timed->mean_experts, layer_ms(timed->decode_s, head.decode_s) - (1 - share) * decode_layer,
         layer_ms(timed->prompt_s, head.prompt_s) / prompt_tokens - (1 - share) * prefill_layer});
  return table;
}

}  // namespace ladimo
