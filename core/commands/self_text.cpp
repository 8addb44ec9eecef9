#include "commands/self_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "decode/generation.h"

namespace ladimo {
namespace {

constexpr std::size_t gram_tokens = 4;
constexpr std::size_t loop_window = 24;   // number of consecutive 4-grams looked at together
constexpr std::size_t loop_repeats = 18;  // number of them that repeat earlier ones in a loop
constexpr std::size_t beginning_tokens = 24;
constexpr std::size_t fewest_tokens = 16;
constexpr double smallest_yield = 0.05;  // least usable share of the sampled tokens

// Keeps the usable part of the sampled texts.
class Collector {
 public:
  explicit Collector(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

  // `sequence` begins with BOS.
  void add(std::span<const std::int32_t> sequence) {
    const auto ids = sequence.subspan(1);
    const auto kept = ids.first(length_before_loop(ids));
    if (kept.size() < fewest_tokens) return;
    const auto beginning = kept.first(std::min(kept.size(), beginning_tokens));
    if (!beginnings_.emplace(beginning.begin(), beginning.end()).second) return;
    const std::string text = tokenizer_.decode(kept);
    tokens_ += static_cast<std::int64_t>(tokenizer_.encode(text).size());
    lines_ += nlohmann::json{{"text", text}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    lines_ += '\n';
  }

  std::int64_t tokens() const { return tokens_; }
  const std::string& lines() const { return lines_; }

 private:
  const Tokenizer& tokenizer_;
  std::set<std::vector<std::int32_t>> beginnings_;
  std::int64_t tokens_ = 0;
  std::string lines_;
};

}  // namespace

std::size_t length_before_loop(std::span<const std::int32_t> ids) {
  std::set<std::array<std::int32_t, gram_tokens>> seen;
  std::vector<std::size_t> repeats;  // first tokens of the 4-grams that repeat earlier ones
  std::size_t oldest = 0;            // index into `repeats` of the first one inside the window
  for (std::size_t i = 0; i + gram_tokens <= ids.size(); ++i) {
    std::array<std::int32_t, gram_tokens> gram;
    std::copy_n(ids.begin() + static_cast<std::ptrdiff_t>(i), gram_tokens, gram.begin());
    if (seen.insert(gram).second) continue;
    repeats.push_back(i);
    while (repeats[oldest] + loop_window <= i) ++oldest;
    if (repeats.size() - oldest >= loop_repeats) return repeats[oldest];
  }
  return ids.size();
}

void write_self_text(const Decoder& decoder, const Tokenizer& tokenizer, std::int64_t tokens,
                     std::int64_t length, std::uint64_t seed, const std::filesystem::path& file,
                     const Context& context) {
  if (length <= static_cast<std::int64_t>(fewest_tokens))
    throw Refusal("Texts of " + std::to_string(length) + " tokens are too short to calibrate on.",
                  "Use a larger {window}.");
  Collector collector(tokenizer);
  double asked = 0;                                       // tokens sampled so far
  double yield = 1;                                       // usable share of the sampled tokens
  const auto per_text = static_cast<double>(length - 1);  // tokens without BOS
  for (std::uint64_t round = 0; collector.tokens() < tokens; ++round) {
    const auto missing = static_cast<double>(tokens - collector.tokens());
    const auto count = static_cast<std::int64_t>(std::ceil(missing / (per_text * yield)));
    Progress progress(context, count * (length - 1));
    for (const auto& sequence :
         sample_sequences(decoder, tokenizer.bos(), count, length, self_text_temperature,
                          Random(seed, "self text", round)(), progress))
      collector.add(sequence);
    asked += static_cast<double>(count) * per_text;
    yield = static_cast<double>(collector.tokens()) / asked;
    if (yield < smallest_yield)
      throw Error("The model generates hardly any usable text: most of it repeats itself or ends at once.",
                  "Choose text files with {text}.");
  }
  write_file(file, collector.lines());
}

}  // namespace ladimo
