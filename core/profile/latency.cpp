#include "profile/latency.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include "base/machine.h"
#include "base/random.h"
#include "decode/decoder.h"
#include "evaluate/timing.h"
#include "policy/monotone_curve.h"

namespace ladimo {
namespace {

constexpr std::int64_t decode_tokens = 8, longest_prompt = 128;
constexpr double activities[] = {0, 0.1, 0.25, 0.4, 0.6, 0.8, 1};  // shares of the routed experts
constexpr int decode_rounds = 12, prompt_rounds = 5, grid_rounds = 6;
constexpr double budget_s = 1.5;
constexpr int batches[] = {1, 2, 4, 8};
constexpr int grid_steps = 4, longest_context = 1024;
constexpr std::size_t grid_stride = 2;  // of the activities every second one
constexpr double grid_budget_s = 0.25;  // for each batch
// Weights that are timed together: more than caches hold, so that they come from memory as in the whole
// model.
constexpr double timed_bytes = 512e6;

/// A decoder with the same policy in every layer, and what its work takes.
struct Timed {
  Decoder decoder;
  KvCache cache;
  double mean_experts = 0;
  double bytes = 0;                   // of weights that a token reads
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

/// The times on one curve over the bytes of weights that are read, in the same order. The curve is closest to
/// `seconds`. A time that is wrong by noise would otherwise be what a frontier over times chooses.
std::vector<double> along_bytes(const std::vector<double>& bytes, const std::vector<double>& seconds) {
  std::vector<std::size_t> order(bytes.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return bytes[i]; });
  std::vector<double> x, y;
  for (const std::size_t i : order) {
    x.push_back(bytes[i] - bytes[order.front()]);
    y.push_back(seconds[i]);
  }
  const auto fitted = rising_concave(x, y);
  std::vector<double> result(seconds.size());
  for (std::size_t k = 0; k < order.size(); ++k) result[order[k]] = fitted[k];
  return result;
}

void time_all(std::vector<Timed>& all, std::span<const std::int32_t> prompt) {
  const auto text = prompt.first(std::min<std::size_t>(prompt.size(), decode_tokens));
  std::vector<std::function<void()>> decoding, reading;
  for (Timed& timed : all) {
    decoding.emplace_back([&timed, text] { timed.decode(text); });
    reading.emplace_back([&timed, prompt] { timed.prefill(prompt); });
  }
  // Apart from each other, because short rounds show the machine's drift.
  const auto decode_s = median_seconds(decoding, decode_rounds, budget_s);
  const auto prompt_s = median_seconds(reading, prompt_rounds, budget_s);
  std::vector<double> bytes;
  for (const Timed& timed : std::span(all).subspan(1)) bytes.push_back(timed.bytes);
  const auto fitted_decode = along_bytes(bytes, {decode_s.begin() + 1, decode_s.end()});
  const auto fitted_prompt = along_bytes(bytes, {prompt_s.begin() + 1, prompt_s.end()});
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].decode_s = (i == 0 ? decode_s[0] : fitted_decode[i - 1]) / static_cast<double>(text.size());
    all[i].prompt_s = i == 0 ? prompt_s[0] : fitted_prompt[i - 1];
  }
}

/// What differences of timed decoders say of the whole model.
struct Scale {
  double timed_layers, layers;
  double ffn_share;  // the weights of an FFN among those of a dense layer

  double layer_ms(double all_s, double head_s) const { return 1e3 * (all_s - head_s) / timed_layers; }
  double other_of_layer(double dense_layer_ms) const { return (1 - ffn_share) * dense_layer_ms; }
};

/// Times steps in which each of `batch` sequences gets one of `ids`. `timed` are the head alone, the dense
/// model and those with more and more experts.
LatencyTable::Batch time_batch(const std::vector<Timed>& timed, int batch, const LatencyTable::Grid& contexts,
                               std::span<const std::int32_t> ids, const Scale& scale) {
  const Decoder &head = timed[0].decoder, &dense = timed[1].decoder;
  KvCache cache = dense.make_cache(batch, contexts.long_context + grid_steps);
  // What the keys and values are does not change the time, but they must be there, in memory of their own.
  for (std::int64_t l = 0; l < dense.config().layers; ++l)
    for (const at::Tensor& cached :
         {cache.keys(static_cast<std::size_t>(l)), cache.values(static_cast<std::size_t>(l))})
      cached.zero_();
  std::vector<std::function<void()>> runs;
  const auto add = [&](const Decoder& decoder, int context) {
    runs.emplace_back([&decoder, &cache, ids, context, batch] {
      cache.clear();
      cache.advance(context);
      for (int step = 0; step < grid_steps; ++step)
        decoder.read(ids.subspan(static_cast<std::size_t>(step * batch), static_cast<std::size_t>(batch)),
                     cache);
    });
  };
  add(head, contexts.short_context);
  add(dense, contexts.short_context);
  add(dense, contexts.long_context);
  LatencyTable::Batch result;
  result.batch = batch;
  std::vector<double> bytes = {timed[1].bytes};
  for (std::size_t i = 2; i < timed.size(); i += grid_stride) {
    add(timed[i].decoder, contexts.short_context);
    result.points.push_back({timed[i].mean_experts, 0});
    bytes.push_back(timed[i].bytes);
  }
  auto seconds = median_seconds(runs, grid_rounds, grid_budget_s);
  for (double& value : seconds) value /= grid_steps;
  std::vector<double> by_bytes = {seconds[1]};
  by_bytes.insert(by_bytes.end(), seconds.begin() + 3, seconds.end());
  by_bytes = along_bytes(bytes, by_bytes);
  const double of_context = seconds[2] - seconds[1];

  const double head_s = seconds[0], dense_layer = scale.layer_ms(by_bytes[0], head_s);
  const double other = scale.other_of_layer(dense_layer);
  result.dense_decode_ms = dense_layer - other;
  result.other_decode_ms = 1e3 * head_s + other * scale.layers;
  result.other_long_decode_ms =
      result.other_decode_ms + scale.layer_ms(std::max(0.0, of_context), 0) * scale.layers;
  for (std::size_t i = 0; i < result.points.size(); ++i)
    result.points[i].decode_ms = scale.layer_ms(by_bytes[1 + i], head_s) - other;
  return result;
}

/// What leaving out inputs saves: the line through the times of dense layers under `cuts` over the parameters
/// that they leave out.
LatencyTable::Cuts time_cuts(PreparedModel& prepared, const std::vector<ModelPolicy>& cuts,
                             std::int64_t layers, std::span<const std::int32_t> prompt, const Scale& scale,
                             const Context& context) {
  const auto text = prompt.first(std::min<std::size_t>(prompt.size(), decode_tokens));
  const auto count = static_cast<std::size_t>(layers);
  std::vector<Timed> all;
  std::vector<ModelPolicy> policies = {{}};
  for (const ModelPolicy& policy : cuts)
    policies.emplace_back(policy.begin(), policy.begin() + static_cast<std::ptrdiff_t>(count));
  for (const ModelPolicy& policy : policies) {
    all.emplace_back(Decoder(prepared, {}, policy, layers), std::ssize(prompt));
    context.check();
  }
  std::vector<std::function<void()>> decoding;
  std::vector<double> left_out;  // parameters of a layer
  for (std::size_t i = 0; i < all.size(); ++i) {
    Timed& timed = all[i];
    decoding.emplace_back([&timed, text] { timed.decode(text); });
    ModelPolicy ran = policies[i];
    for (LayerPolicy& layer : ran)
      for (InputCut& cut : layer.cuts) cut.share = 0;
    timed.cache.clear();
    for (const std::int32_t& id : text) {
      timed.decoder.read({&id, 1}, timed.cache);
      for (std::size_t l = 0; l < ran.size(); ++l)
        for (const Product product : all_products)
          ran[l].cut(product).share +=
              timed.decoder.read_share(l, product) / static_cast<double>(text.size());
    }
    const auto& config = timed.decoder.config();
    const ProductSizes sizes{static_cast<double>(config.hidden_size),
                             static_cast<double>(config.qkv_parameters()),
                             static_cast<double>(config.o_parameters()),
                             static_cast<double>(config.intermediate_size),
                             0,
                             0};
    double sum = 0;
    for (const LayerPolicy& layer : ran)
      sum += sizes.left_out_of_attention(layer) + sizes.left_out_of_ffn(layer);
    left_out.push_back(sum / scale.timed_layers);
  }
  const auto seconds = median_seconds(decoding, decode_rounds, budget_s);
  // Least squares of saved = rate left_out - layer_ms over the policies.
  double n = 0, x = 0, y = 0, xx = 0, xy = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const double saved = scale.layer_ms(seconds[0] - seconds[i], 0) / static_cast<double>(text.size());
    n += 1, x += left_out[i], y += saved;
    xx += left_out[i] * left_out[i], xy += left_out[i] * saved;
  }
  LatencyTable::Cuts result;
  result.ms_per_parameter = std::max(0.0, n > 1 ? (n * xy - x * y) / (n * xx - x * x) : y / x);
  result.layer_ms = std::max(0.0, (result.ms_per_parameter * x - y) / n);
  return result;
}

std::optional<LatencyTable::Grid> time_grid(const std::vector<Timed>& timed, const ModelConfig& config,
                                            const Scale& scale, const Context& context) {
  LatencyTable::Grid grid;
  grid.short_context = static_cast<int>(decode_tokens / 2);  // as the times of one sequence are taken
  grid.long_context =
      static_cast<int>(std::min<std::int64_t>(longest_context, config.max_positions - grid_steps));
  if (grid.long_context <= grid.short_context) return {};
  const auto ids = random_ids(std::ranges::max(batches) * grid_steps, config.vocab_size);
  for (const int batch : batches) {
    context.check();
    grid.batches.push_back(time_batch(timed, batch, grid, ids, scale));
  }
  return grid;
}

}  // namespace

LatencyTable measure_latency(const WeightSource& source, const MoeLayers& moe,
                             const std::vector<int>& converted, const std::vector<ModelPolicy>& cuts,
                             const Context& context) {
  const ModelConfig& config = source.config();
  const std::int64_t layers = layers_to_time(config, source.dtype());
  const auto prompt = random_ids(std::min(longest_prompt, config.max_positions), config.vocab_size);
  const auto capacity = std::ssize(prompt);
  std::optional<PreparedModel> prepared;
  if (Decoder::can_prepare(source, {})) prepared.emplace(source);
  std::vector<std::shared_ptr<const MoeWeights>> weights;
  for (std::int64_t l = 0; l < layers && !converted.empty(); ++l) {
    context.check();
    weights.push_back(at_rest(moe, converted[static_cast<std::size_t>(l) % converted.size()]));
  }
  const auto make = [&](std::optional<int> k, std::int64_t count) {
    Decoder::Ffns ffns;
    for (std::int64_t l = 0; k && l < count; ++l)
      ffns.push_back(std::make_shared<MoeLayer>(weights[static_cast<std::size_t>(l)], LayerPolicy::top(*k)));
    return Timed(prepared ? Decoder(*prepared, ffns, {}, count) : Decoder(source, ffns, {}, count), capacity);
  };
  std::vector<Timed> all;
  all.push_back(make({}, 0));  // embedding and head alone
  all.push_back(make({}, layers));
  for (const double activity : activities) {
    context.check();
    if (weights.empty()) break;
    const int k = static_cast<int>(std::lround(activity * static_cast<double>(weights.front()->routed())));
    if (all.size() > 2 && k <= all.back().mean_experts) continue;
    all.push_back(make(k, layers));
    all.back().mean_experts = k;
  }
  for (Timed& timed : std::span(all).subspan(1))
    timed.bytes = timed.decoder.bytes_per_token(ModelPolicy(
        static_cast<std::size_t>(layers), LayerPolicy::top(static_cast<int>(timed.mean_experts))));
  const OtherLoad others;
  time_all(all, prompt);
  context.check();

  const Timed &head = all[0], &dense = all[1];
  const double prompt_tokens = static_cast<double>(prompt.size());
  // The weights of an FFN among those of a layer. It parts the time of a dense layer in two; what a policy
  // saves does not depend on it.
  const double ffn = static_cast<double>(config.ffn_parameters_per_layer());
  const Scale scale{static_cast<double>(layers), static_cast<double>(config.layers),
                    ffn * static_cast<double>(config.layers) /
                        (static_cast<double>(config.activated_parameters() - config.hidden_size) -
                         static_cast<double>(config.vocab_size * config.hidden_size))};
  LatencyTable table;
  table.machine = source.device().is_cpu() ? processor_name() : source.device().str();
  table.date = now_iso();
  table.threads = at::get_num_threads();
  table.prefill_tokens = static_cast<int>(prompt.size());
  const double decode_layer = scale.layer_ms(dense.decode_s, head.decode_s);
  const double prefill_layer = scale.layer_ms(dense.prompt_s, head.prompt_s) / prompt_tokens;
  const double other_decode = scale.other_of_layer(decode_layer),
               other_prefill = scale.other_of_layer(prefill_layer);
  table.dense_decode_ms = decode_layer - other_decode;
  table.dense_prefill_ms = prefill_layer - other_prefill;
  table.other_decode_ms = 1e3 * head.decode_s + other_decode * scale.layers;
  table.other_prefill_ms = 1e3 * head.prompt_s / prompt_tokens + other_prefill * scale.layers;
  for (auto timed = all.begin() + 2; timed != all.end(); ++timed)
    table.points.push_back({timed->mean_experts,
                            scale.layer_ms(timed->decode_s, head.decode_s) - other_decode,
                            scale.layer_ms(timed->prompt_s, head.prompt_s) / prompt_tokens - other_prefill});
  table.grid = time_grid(all, config, scale, context);
  if (prepared && !cuts.empty()) table.cuts = time_cuts(*prepared, cuts, layers, prompt, scale, context);
  table.other_load = others.share();
  return table;
}

}  // namespace ladimo
