#include "transfer/gguf_tokens.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ladimo {
namespace {

using Json = nlohmann::json;

constexpr std::string_view space_mark = "\xE2\x96\x81";      // U+2581
constexpr float added_score = -1000, unused_score = -10000;  // as llama.cpp's converter gives them

/// Added tokens that files do not call special although they are.
bool looks_special(std::string_view token) {
  const auto between = [&](std::string_view begin, std::string_view end) {
    return token.size() > begin.size() + end.size() && token.starts_with(begin) && token.ends_with(end);
  };
  return token == "<pad>" || token == "<mask>" || token == "<2mass>" || token == "[@BOS@]" ||
         between("<|", "|>") || between("<\xEF\xBD\x9C", "\xEF\xBD\x9C>") || between("<unused", ">");
}

bool flag(const Json& json, const char* key, bool absent) {
  return json.contains(key) && json[key].is_boolean() ? json[key].get<bool>() : absent;
}

std::string type_of(const Json& step) { return step.value("type", std::string()); }

/// The steps under `key`, without the sequences that they are in.
std::vector<const Json*> steps_of(const Json& tokenizer, const char* key, const char* inner_key) {
  std::vector<const Json*> steps;
  const auto add = [&](const auto& self, const Json& step) -> void {
    if (type_of(step) != "Sequence") return steps.push_back(&step);
    for (const Json& inner : step.at(inner_key)) self(self, inner);
  };
  if (tokenizer.contains(key) && !tokenizer[key].is_null()) add(add, tokenizer[key]);
  return steps;
}

/// The regular expression of a Split whose matches are pieces of text. The second spelling drops the rest,
/// and the known expressions leave none.
std::optional<std::string_view> splits_by(const Json& step) {
  const bool inverted = flag(step, "invert", false);
  const auto behavior = step.value("behavior", std::string());
  const bool whole = behavior == "Isolated" ? !inverted : behavior == "Removed" && inverted;
  if (!whole || !step.contains("pattern") || !step["pattern"].contains("Regex")) return std::nullopt;
  return step["pattern"]["Regex"].get_ref<const std::string&>();
}

/// Returns false for a step that llama.cpp's pre-tokenisers do not have at this place.
bool add_step(const Json& step, bool last, GgufPreTokenizer& like) {
  const auto type = type_of(step);
  if (type == "Split" && !like.digits_alone) {
    const auto expression = splits_by(step);
    if (expression) like.expressions.push_back(*expression);
    return expression.has_value();
  }
  if (type == "Digits" && flag(step, "individual_digits", false)) return like.digits_alone = true;
  if (type != "ByteLevel" || !last || flag(step, "add_prefix_space", true)) return false;
  like.gpt2 = flag(step, "use_regex", true);
  return true;
}

/// What the steps of a SentencePiece-like tokenizer.json do to spaces.
struct Spaces {
  bool marks = false;  // they become U+2581
  bool adds = false;   // one is put before the text
  bool known = true;   // there is no other step
};

void add_normalizer(const Json& step, Spaces& spaces) {
  const auto type = type_of(step);
  if (type == "Prepend" && step.value("prepend", std::string()) == space_mark) {
    spaces.adds = true;
  } else if (type == "Replace" && step.contains("pattern") &&
             step["pattern"].value("String", std::string()) == " " &&
             step.value("content", std::string()) == space_mark) {
    spaces.marks = true;
  } else {
    spaces.known = false;
  }
}

void add_metaspace(const Json& step, const GgufTokens& tokens, Spaces& spaces) {
  if (type_of(step) != "Metaspace" || step.value("replacement", std::string()) != space_mark) {
    spaces.known = false;
    return;
  }
  spaces.marks = true;
  // Files of older versions have add_prefix_space.
  const auto scheme = step.value("prepend_scheme", std::string("always"));
  if (flag(step, "add_prefix_space", true) && scheme != "never") spaces.adds = true;
  // Text is cut before every space. That is the same where no token has one behind other characters.
  if (!flag(step, "split", true)) return;
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (tokens.kind(id) == TokenKind::normal && tokens.spelling(id).find(space_mark, 1) != std::string::npos)
      spaces.known = false;
}

std::pair<std::string, std::string> pair_of(const Json& merge) {
  if (merge.is_array()) return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  const auto& words = merge.get_ref<const std::string&>();
  const auto space = words.find(' ');
  return {words.substr(0, space), words.substr(space + 1)};
}

/// The merges that give one token.
struct MergesOfToken {
  std::size_t first = 0, last = 0, count = 0;  // places in the list
  std::set<std::size_t> lengths;               // of the left parts
};

bool is_inside_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U; }

bool is_one_character(std::string_view text) {
  return std::ranges::all_of(text.substr(1), is_inside_character);
}

}  // namespace

GgufTokens::GgufTokens(std::size_t rows)
    : spellings_(rows),
      kinds_(rows, static_cast<std::int32_t>(TokenKind::unused)),
      scores_(rows, unused_score) {}

void GgufTokens::set(std::size_t id, std::string spelling, TokenKind kind, float score) {
  spellings_[id] = std::move(spelling);
  kinds_[id] = static_cast<std::int32_t>(kind);
  scores_[id] = score;
}

void GgufTokens::set_added(std::size_t id, const std::string& spelling, bool special) {
  if (special || looks_special(spelling)) return set(id, spelling, TokenKind::control, added_score);
  // llama.cpp looks for these in text whose spaces are still spaces.
  std::string plain = spelling;
  for (auto at = plain.find(space_mark); at != plain.npos; at = plain.find(space_mark, at))
    plain.replace(at, space_mark.size(), " ");
  set(id, std::move(plain), TokenKind::added, added_score);
}

void GgufTokens::name_unused() {
  const std::set<std::string_view> known(spellings_.begin(), spellings_.end());
  std::vector<std::string> named = spellings_;
  for (std::size_t id = 0; id < named.size(); ++id) {
    if (!named[id].empty()) continue;
    named[id] = fmt::format("[PAD{}]", id);
    if (known.contains(named[id])) named[id] += "_unused";
  }
  spellings_ = std::move(named);
}

std::size_t GgufTokens::count(TokenKind kind) const {
  return static_cast<std::size_t>(std::ranges::count(kinds_, static_cast<std::int32_t>(kind)));
}

std::optional<std::size_t> GgufTokens::find(std::string_view spelling) const {
  const auto found = std::ranges::find(spellings_, spelling);
  if (found == spellings_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - spellings_.begin());
}

std::optional<std::size_t> GgufTokens::first(TokenKind kind) const {
  const auto found = std::ranges::find(kinds_, static_cast<std::int32_t>(kind));
  if (found == kinds_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - kinds_.begin());
}

std::optional<std::pair<std::size_t, std::size_t>> GgufTokens::repeat() const {
  std::unordered_map<std::string_view, std::size_t> known;
  for (std::size_t id = 0; id < size(); ++id)
    if (const auto [other, added] = known.emplace(spellings_[id], id); !added)
      return std::pair(other->second, id);
  return std::nullopt;
}

bool is_byte_piece(std::string_view spelling) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); };
  return spelling.size() == 6 && spelling.starts_with("<0x") && spelling.back() == '>' &&
         is_digit(spelling[3]) && is_digit(spelling[4]);
}

const GgufPreTokenizer* gguf_pre_tokenizer_of(const Json& tokenizer) {
  GgufPreTokenizer like;
  for (const Json* step : steps_of(tokenizer, "normalizer", "normalizers")) {
    if (type_of(*step) != "NFC") return nullptr;
    like.composes = true;
  }
  like.whole_words = flag(tokenizer.at("model"), "ignore_merges", false);
  const auto steps = steps_of(tokenizer, "pre_tokenizer", "pretokenizers");
  for (std::size_t i = 0; i < steps.size(); ++i)
    if (!add_step(*steps[i], i + 1 == steps.size(), like)) return nullptr;
  return find_pre_tokenizer_like(like);
}

std::optional<bool> adds_space_before_text(const Json& tokenizer, const GgufTokens& tokens) {
  Spaces spaces;
  for (const Json* step : steps_of(tokenizer, "normalizer", "normalizers")) add_normalizer(*step, spaces);
  for (const Json* step : steps_of(tokenizer, "pre_tokenizer", "pretokenizers"))
    add_metaspace(*step, tokens, spaces);
  if (!spaces.known || !spaces.marks || flag(tokenizer.at("model"), "ignore_merges", false))
    return std::nullopt;
  return spaces.adds;
}

std::optional<std::string> give_scores(const Json& merges, GgufTokens& tokens) {
  std::unordered_map<std::string, MergesOfToken> of_token;
  for (std::size_t place = 0; place < merges.size(); ++place) {
    const auto [left, right] = pair_of(merges[place]);
    MergesOfToken& found = of_token[left + right];
    if (found.count == 0) found.first = place;
    found.last = place;
    ++found.count;
    found.lengths.insert(left.size());
  }
  std::set<std::string_view> reached;  // what merges can put together, and single characters
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (tokens.kind(id) == TokenKind::normal &&
        (is_one_character(tokens.spelling(id)) || of_token.contains(tokens.spelling(id))))
      reached.insert(tokens.spelling(id));
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens.kind(id) != TokenKind::normal) continue;
    const std::string& spelling = tokens.spelling(id);
    const auto found = of_token.find(spelling);
    const bool merged = found != of_token.end();
    if (merged && found->second.last - found->second.first + 1 != found->second.count)
      return fmt::format("the merges that give {} do not stand beside each other", spelling);
    for (std::size_t at = 1; at < spelling.size(); ++at) {
      if (is_inside_character(spelling[at]) || (merged && found->second.lengths.contains(at))) continue;
      const auto left = std::string_view(spelling).substr(0, at),
                 right = std::string_view(spelling).substr(at);
      if (reached.contains(left) && reached.contains(right))
        return fmt::format("no merge gives {} from {} and {}", spelling, left, right);
    }
    tokens.set_score(id, -static_cast<float>(merged ? found->second.first : merges.size()));
  }
  return std::nullopt;
}

}  // namespace ladimo
