#include "commands/bench.h"

#include <algorithm>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "base/machine.h"
#include "commands/own_text.h"
#include "evaluate/timing.h"
#include "kernels/read_probe.h"
#include "run/step.h"
#include "text/corpus.h"

namespace ladimo {
namespace {

constexpr std::int64_t decode_tokens = 64, prompt_tokens = 512;
constexpr int minimum_rounds = 7;
constexpr double budget_s = 3;
constexpr std::size_t least_read_bytes = 1 << 20;
constexpr std::int64_t compared_tokens = 256, compared_at_once = 64;

/// One side of the comparison.
struct Side {
  Decoder decoder;
  KvCache cache;

  Side(Decoder model, std::int64_t capacity)
      : decoder(std::move(model)), cache(decoder.make_cache(1, capacity)) {}
};

void decode(Side& side, std::span<const std::int32_t> ids, const Context& context) {
  side.cache.clear();
  for (const std::int32_t& id : ids) {
    context.check();
    side.decoder.read({&id, 1}, side.cache);
  }
}

/// Decodes, and returns the policy with what ran on average in place of what was predicted.
ModelPolicy count_what_runs(Side& side, ModelPolicy policy, std::span<const std::int32_t> ids,
                            const Context& context) {
  for (LayerPolicy& layer : policy) {
    layer.mean_experts = 0;
    for (InputCut& cut : layer.cuts) cut.share = 0;
  }
  const auto tokens = static_cast<double>(ids.size());
  side.cache.clear();
  for (const std::int32_t& id : ids) {
    context.check();
    side.decoder.read({&id, 1}, side.cache);
    for (std::size_t l = 0; l < policy.size(); ++l) {
      policy[l].mean_experts += std::max(side.decoder.experts(l, 0), 0) / tokens;
      for (const Product product : all_products)
        policy[l].cut(product).share += side.decoder.read_share(l, product) / tokens;
    }
  }
  return policy;
}

void prefill(Side& side, std::span<const std::int32_t> ids, const Context& context) {
  context.check();
  side.cache.clear();
  side.decoder.read(ids, side.cache);
}

/// Compares the model with itself, held as stored, on a text that the latter writes.
HoldingLoss loss_of_holding(const LoadedModel& model, const ModelPolicy& policy, const Context& context) {
  const Decoder stored = model.decoder_as_stored(policy), held = model.decoder(policy);
  const std::int64_t tokens = std::min(compared_tokens, model.config().max_positions);
  const at::Tensor ids = at::tensor(own_text(stored, tokens, context)).unsqueeze(0);
  KvCache cache_of_stored = stored.make_cache(1, tokens), cache_of_held = held.make_cache(1, tokens);
  double sum = 0;
  for (const at::Tensor& part : ids.split(compared_at_once, 1)) {
    context.check();
    const at::Tensor log_p = stored.forward(part, &cache_of_stored).logits.to(at::kDouble).log_softmax(-1);
    const at::Tensor log_q = held.forward(part, &cache_of_held).logits.to(at::kDouble).log_softmax(-1);
    sum += (log_p.exp() * (log_p - log_q)).sum().item<double>();
  }
  return {std::max(0.0, sum / static_cast<double>(tokens)), tokens};
}

Speed speed_of(const std::optional<Timing>& dense, const std::optional<Timing>& converted,
               std::int64_t tokens) {
  const auto per_second = [&](const Timing& timing) { return static_cast<double>(tokens) / timing.median; };
  Speed speed;
  speed.tokens = tokens;
  if (dense) speed.dense_tokens_per_s = per_second(*dense);
  if (converted) speed.converted_tokens_per_s = per_second(*converted);
  speed.noise = std::max(dense ? dense->noise : 0, converted ? converted->noise : 0);
  return speed;
}

/// What the run's latency table says of decoding with as much as `ran`. Absent where the table is of another
/// machine or number of threads, or of weights that are held otherwise.
std::optional<double> predicted_ms(const LoadedModel& model, const ModelPolicy& ran,
                                   const std::string& machine) {
  const auto& run = model.opened().run;
  const auto table = run ? run->latency() : std::nullopt;
  if (!table || table->machine != machine || table->threads != at::get_num_threads() ||
      model.runtime().holding != Holding::as_stored)
    return {};
  double ms = table->other_decode_ms;
  for (const LayerPolicy& layer : ran) ms += table->decode_ms(layer);
  return ms;
}

}  // namespace

BenchResult bench(const LoadedModel& model, const ModelPolicy& policy,
                  const std::optional<std::filesystem::path>& file, const Context& context) {
  const auto positions = model.config().max_positions;
  const auto prompt_length = std::min(prompt_tokens, positions);
  const auto decode_length = std::min(decode_tokens, positions);
  context.emit(begin_step(Step::bench, 0, 1));
  const bool as_stored = model.runtime().holding == Holding::as_stored;
  std::optional<HoldingLoss> hold;
  if (!as_stored) hold = loss_of_holding(model, policy, context);
  std::optional<Side> dense, converted;
  if (model.opened().has_dense()) dense.emplace(model.decoder(all_dense(model.config())), prompt_length);
  if (model.opened().is_converted()) converted.emplace(model.decoder(policy), prompt_length);
  Side& main = converted ? *converted : *dense;
  const auto prompt =
      file ? measured_text({*file}, model.tokenizer(), prompt_length, prompt_length).windows.tokens
           : own_text((dense ? *dense : *converted).decoder, prompt_length, context);
  const auto text = std::span<const std::int32_t>(prompt).first(static_cast<std::size_t>(decode_length));
  const auto ran = count_what_runs(main, converted ? policy : all_dense(model.config()), text, context);
  const double bytes = main.decoder.bytes_per_token(ran);
  const auto device = model.device();
  const std::size_t read_bytes = std::max(static_cast<std::size_t>(bytes), least_read_bytes);
  std::optional<ReadProbe> memory;
  at::Tensor elsewhere;  // memory of a GPU
  if (device.is_cpu())
    memory.emplace(read_bytes);
  else
    elsewhere = at::ones({static_cast<std::int64_t>(read_bytes / sizeof(float))}, at::TensorOptions(device));
  std::vector<std::function<void()>> runs = {[&] {
    if (memory)
      memory->read();
    else
      elsewhere.sum();
  }};
  for (auto* side : {&dense, &converted})
    if (*side) {
      runs.emplace_back([&, side] { decode(**side, text, context); });
      runs.emplace_back([&, side] { prefill(**side, prompt, context); });
    }
  const auto timings = time_in_turns(runs, minimum_rounds, budget_s);
  const auto of = [&](bool is_converted, std::size_t kind) -> std::optional<Timing> {
    if (!(is_converted ? converted : dense)) return {};
    return timings[1 + (is_converted && dense ? 2 : 0) + kind];
  };

  BenchResult result;
  result.decode = speed_of(of(false, 0), of(true, 0), decode_length);
  result.prefill = speed_of(of(false, 1), of(true, 1), prompt_length);
  result.bytes_per_token = bytes;
  result.read_bytes_per_s = static_cast<double>(read_bytes) / timings[0].median;
  const auto& speed = converted ? result.decode.converted_tokens_per_s : result.decode.dense_tokens_per_s;
  result.bandwidth_fraction = bytes * *speed / result.read_bytes_per_s;
  result.dtype = !as_stored ? "q8_0" : model.held_dtype() == at::kFloat ? "float32" : "bfloat16";
  result.hold = hold;
  result.threads = at::get_num_threads();
  result.machine = device.is_cpu() ? processor_name() : device.str();
  if (converted) result.predicted_decode_ms = predicted_ms(model, ran, result.machine);
  result.date = now_iso();
  return result;
}

}  // namespace ladimo
