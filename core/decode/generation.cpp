#include "decode/generation.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/random.h"
#include "kernels/kernel_table.h"

namespace ladimo {
namespace {

constexpr std::int64_t largest_batch = 128;      // at most as many sequences are sampled side by side
constexpr std::int64_t cache_bytes = 1LL << 30;  // the keys and values of a batch stay below this

// Turns the logits of one sequence into what the next token is chosen by: themselves for greedy decoding,
// else probabilities.
std::span<const float> scores_of(std::span<const float> logits, double temperature,
                                 std::vector<float>& probabilities) {
  if (temperature <= 0) return logits;
  probabilities.resize(logits.size());
  const auto factor = static_cast<float>(1 / temperature);
  std::ranges::transform(logits, probabilities.begin(), [factor](float z) { return z * factor; });
  double log_normaliser;
  kernels().softmax(probabilities.data(), std::ssize(probabilities), probabilities.data(), &log_normaliser);
  return probabilities;
}

std::int32_t largest(std::span<const float> scores) {
  return static_cast<std::int32_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
}

// Rounding may leave the sum just below 1. The last id with any probability is drawn in that case.
std::int32_t draw(std::span<const float> probabilities, Random& random) {
  double left = random.uniform();
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] <= 0) continue;
    drawn = i;
    left -= static_cast<double>(probabilities[i]);
    if (left < 0) break;
  }
  return static_cast<std::int32_t>(drawn);
}

bool ends_text(const ModelConfig& config, std::int32_t id) {
  return std::find(config.eos.begin(), config.eos.end(), id) != config.eos.end();
}

void refuse_prompt(const ModelConfig& config, std::span<const std::int32_t> prompt) {
  if (prompt.empty()) throw Refusal("The prompt is empty.", "Give at least one token to continue.");
  if (static_cast<std::int64_t>(prompt.size()) >= config.max_positions)
    throw Refusal("The prompt has " + std::to_string(prompt.size()) + " tokens, but the model has only " +
                      std::to_string(config.max_positions) + " positions.",
                  "Use a shorter {prompt}.");
  for (const std::int32_t id : prompt)
    if (id < 0 || id >= config.vocab_size)
      throw Refusal("The prompt contains the token " + std::to_string(id) + ", but the model knows only " +
                        std::to_string(config.vocab_size) + " tokens.",
                    "Check that the tokenizer belongs to this model.");
}

std::vector<int> expert_counts(const Decoder& decoder) {
  std::vector<int> counts;
  for (std::int64_t l = 0; l < decoder.config().layers; ++l)
    counts.push_back(decoder.experts(static_cast<std::size_t>(l), 0));
  return counts;
}

std::int64_t batch_size(const ModelConfig& config, std::int64_t length) {
  const std::int64_t sequence_bytes = 2 * 4 * config.layers * config.kv_heads * config.head_dim * length;
  return std::clamp<std::int64_t>(cache_bytes / sequence_bytes, 1, largest_batch);
}

// Samples sequences first ... first + count - 1 side by side. Finished ones run along until the last is done.
void sample_batch(const Decoder& decoder, std::int32_t bos, std::int64_t first, std::int64_t count,
                  std::int64_t length, double temperature, std::uint64_t seed, Progress& progress,
                  std::vector<std::vector<std::int32_t>>& sequences) {
  std::vector<Random> streams;
  for (std::int64_t i = first; i < first + count; ++i)
    streams.emplace_back(seed, "sample", static_cast<std::uint64_t>(i));
  std::vector<std::vector<std::int32_t>> batch(static_cast<std::size_t>(count), {bos});
  std::vector<bool> finished(batch.size(), false);
  std::vector<std::int32_t> ids(batch.size(), bos);
  KvCache cache = decoder.make_cache(count, length);
  const auto vocab = static_cast<std::size_t>(decoder.config().vocab_size);
  std::vector<float> probabilities;
  for (std::int64_t position = 1; position < length; ++position) {
    const std::span<const float> logits = decoder.read(ids, cache);
    std::int64_t done = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (finished[i]) continue;
      const auto next = scores_of(logits.subspan(i * vocab, vocab), temperature, probabilities);
      ids[i] = temperature > 0 ? draw(next, streams[i]) : largest(next);
      finished[i] = ends_text(decoder.config(), ids[i]);
      if (!finished[i]) batch[i].push_back(ids[i]);
      done += finished[i] ? length - position : 1;  // a finished one needs no further positions
    }
    progress.advance(done);
    if (std::find(finished.begin(), finished.end(), false) == finished.end()) break;
  }
  std::move(batch.begin(), batch.end(), std::back_inserter(sequences));
}

}  // namespace

std::vector<GeneratedToken> generate(const Decoder& decoder, std::span<const std::int32_t> prompt,
                                     const Sampling& sampling, const Context& context,
                                     const std::function<void(const GeneratedToken&)>& on_token) {
  const ModelConfig& config = decoder.config();
  refuse_prompt(config, prompt);
  const auto used = static_cast<std::int64_t>(prompt.size());
  const std::int64_t count = std::min(sampling.max_tokens, config.max_positions - used);
  Random random(sampling.seed, "generate");
  KvCache cache = decoder.make_cache(1, used + std::max<std::int64_t>(count, 0));
  std::vector<GeneratedToken> tokens;
  std::vector<std::int32_t> text(prompt.begin(), prompt.end());
  std::vector<float> probabilities;
  std::span<const std::int32_t> unread = text;
  while (static_cast<std::int64_t>(tokens.size()) < count) {
    context.check();
    const auto scores = scores_of(decoder.read(unread, cache), sampling.temperature, probabilities);
    const std::int32_t id = sampling.temperature > 0 ? draw(scores, random) : largest(scores);
    if (ends_text(config, id)) break;
    tokens.push_back({id, expert_counts(decoder)});
    if (on_token) on_token(tokens.back());
    const bool again = crosses_border(config, std::ssize(text));
    text.push_back(id);
    if (again) cache.clear();
    unread = std::span<const std::int32_t>(text).subspan(again ? 0 : text.size() - 1);
  }
  return tokens;
}

std::vector<std::vector<std::int32_t>> sample_sequences(const Decoder& decoder, std::int32_t bos,
                                                        std::int64_t count, std::int64_t length,
                                                        double temperature, std::uint64_t seed,
                                                        Progress& progress) {
  const ModelConfig& config = decoder.config();
  if (bos < 0)
    throw Refusal("The model has no BOS token, so it cannot begin a text of its own.",
                  "Choose text files with {text}.");
  if (length > config.max_positions)
    throw Refusal("Texts of " + std::to_string(length) + " tokens were requested, but the model has only " +
                      std::to_string(config.max_positions) + " positions.",
                  "Use a smaller {window}.");
  std::vector<std::vector<std::int32_t>> sequences;
  const std::int64_t batch = batch_size(config, std::max<std::int64_t>(length, 1));
  for (std::int64_t first = 0; first < count; first += batch)
    sample_batch(decoder, bos, first, std::min(batch, count - first), length, temperature, seed, progress,
                 sequences);
  return sequences;
}

}  // namespace ladimo
