#include "text/pre_tokenizer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "text/normalizer.h"

namespace ladimo {
namespace {

// The expression of GPT-2, which ByteLevel applies unless use_regex is false.
constexpr const char* gpt2_expression =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// \w+|[^\w\s]+ of Rust, whose \w is that of Unicode's annex on regular expressions.
constexpr const char* words_or_signs =
    R"([\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\s]+)";

/// What becomes of matches (SplitDelimiterBehavior of Hugging Face tokenizers).
enum class Behavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

struct BehaviorName {
  const char* name;
  Behavior behavior;
};
constexpr BehaviorName behavior_names[] = {{"Removed", Behavior::removed},
                                           {"Isolated", Behavior::isolated},
                                           {"MergedWithPrevious", Behavior::merged_with_previous},
                                           {"MergedWithNext", Behavior::merged_with_next},
                                           {"Contiguous", Behavior::contiguous}};

/// Appends the parts of one piece. They arrive in order and cover it; some match.
class Splitter {
 public:
  Splitter(Behavior behavior, std::vector<TextSpan>& pieces)
      : behavior_(behavior), pieces_(pieces), first_(pieces.size()) {}

  void add(TextSpan part, bool matches) {
    if (part.size() == 0) return;
    if (behavior_ == Behavior::removed && matches) return;
    const bool joined = pieces_.size() > first_ && !parted_ && joins(matches);
    parted_ = false;
    if (joined)
      pieces_.back().end = part.end;
    else
      pieces_.push_back(part);
    previous_ = matches;
  }
  /// A match without a character stands between two parts, which then do not become one piece.
  void part() { parted_ = true; }

 private:
  bool joins(bool matches) const {
    switch (behavior_) {
      case Behavior::merged_with_previous:
        return matches && !previous_;
      case Behavior::merged_with_next:
        return !matches && previous_;
      case Behavior::contiguous:
        return matches == previous_;
      default:
        return false;
    }
  }

  Behavior behavior_;
  std::vector<TextSpan>& pieces_;
  std::size_t first_;      // of this piece's parts in `pieces_`
  bool previous_ = false;  // whether the last part matched
  bool parted_ = false;
};

void split(CutText& cut, const Regex& pattern, Behavior behavior, bool inverted) {
  std::vector<TextSpan> pieces;
  pieces.reserve(cut.text.size() / 4 + 1);
  for (const TextSpan& piece : cut.pieces) {
    Splitter splitter(behavior, pieces);
    const auto text = std::string_view(cut.text).substr(piece.begin, piece.size());
    std::size_t at = 0;
    std::optional<TextSpan> match;
    while (at < text.size()) {
      match = pattern.next(text, match);
      const std::size_t next = match ? match->begin : text.size();
      splitter.add({piece.begin + at, piece.begin + next}, inverted);
      if (!match) break;
      if (match->size() == 0) splitter.part();
      splitter.add({piece.begin + next, piece.begin + match->end}, !inverted);
      at = match->end;
    }
  }
  cut.pieces = std::move(pieces);
}

/// Replaces every piece by what `rewrite` appends for it.
template <class Rewrite>
void rewrite_pieces(CutText& cut, Rewrite rewrite) {
  CutText result;
  result.text.reserve(cut.text.size() + cut.text.size() / 4);
  for (const TextSpan& piece : cut.pieces) {
    const std::size_t begin = result.text.size();
    rewrite(std::string_view(cut.text).substr(piece.begin, piece.size()), piece.begin == 0, result.text);
    result.pieces.push_back({begin, result.text.size()});
  }
  cut = std::move(result);
}

enum class Prefix { always, first, never };

struct Metaspace {
  std::string replacement;
  Prefix prefix = Prefix::always;

  void append(std::string_view piece, bool first, std::string& text) const {
    const bool wanted = prefix == Prefix::always || (prefix == Prefix::first && first);
    if (wanted && !piece.starts_with(' ') && !piece.starts_with(replacement)) text += replacement;
    for (const char byte : piece) {
      if (byte == ' ')
        text += replacement;
      else
        text += byte;
    }
  }
};

}  // namespace

PreTokenizer::PreTokenizer(const JsonFields& json) { add(json); }

void PreTokenizer::add_split(Regex pattern, const std::string& name, bool inverted, const JsonFields& json) {
  const auto* known = std::ranges::find_if(behavior_names, [&](const auto& row) { return row.name == name; });
  if (known == std::end(behavior_names))
    json.refuse("behavior", fmt::format("is {}, which is not supported", name));
  const bool swapped = inverted && known->behavior != Behavior::isolated;
  steps_.push_back([pattern = std::move(pattern), behavior = known->behavior, swapped](CutText& cut, bool) {
    split(cut, pattern, behavior, swapped);
  });
}

void PreTokenizer::add_metaspace(const JsonFields& json) {
  Metaspace rule{json.text("replacement")};
  if (rule.replacement.empty()) json.refuse("replacement", "is empty");
  const auto scheme = json.has("prepend_scheme") ? json.text("prepend_scheme")
                      : json.has("add_prefix_space") && !json.flag("add_prefix_space") ? "never"
                                                                                       : "always";
  if (scheme != "always" && scheme != "first" && scheme != "never")
    json.refuse("prepend_scheme", fmt::format("is {}, which is not supported", scheme));
  rule.prefix = scheme == "always" ? Prefix::always : scheme == "first" ? Prefix::first : Prefix::never;
  steps_.push_back([rule](CutText& cut, bool begins) {
    rewrite_pieces(cut, [&](std::string_view piece, bool first, std::string& text) {
      rule.append(piece, begins && first, text);
    });
  });
  if (json.has("split") && !json.flag("split")) return;
  steps_.push_back([replacement = rule.replacement](CutText& cut, bool) {
    std::vector<TextSpan> pieces;
    for (const TextSpan& piece : cut.pieces) {
      std::size_t begin = piece.begin;
      for (std::size_t at = begin; (at = cut.text.find(replacement, at)) < piece.end;
           at += replacement.size()) {
        if (at > begin) pieces.push_back({begin, at});
        begin = at;
      }
      if (piece.end > begin) pieces.push_back({begin, piece.end});
    }
    cut.pieces = std::move(pieces);
  });
}

void PreTokenizer::add(const JsonFields& json) {
  const auto type = json.text("type");
  if (byte_level_) json.refuse("type", fmt::format("is {}; nothing may follow ByteLevel here", type));
  if (type == "Sequence") {
    for (const JsonFields& inner : json.objects("pretokenizers")) add(inner);
  } else if (type == "ByteLevel") {
    if (json.flag("add_prefix_space"))
      steps_.push_back([](CutText& cut, bool) {
        rewrite_pieces(cut, [](std::string_view piece, bool, std::string& text) {
          if (!piece.starts_with(' ')) text += ' ';
          text += piece;
        });
      });
    if (!json.has("use_regex") || json.flag("use_regex"))
      add_split(Regex(gpt2_expression), "Isolated", false, json);
    byte_level_ = true;
  } else if (type == "Split") {
    add_split(pattern_from(json), json.text("behavior"), json.flag("invert"), json);
  } else if (type == "Digits") {
    add_split(Regex("\\p{N}"), json.flag("individual_digits") ? "Isolated" : "Contiguous", false, json);
  } else if (type == "Metaspace") {
    add_metaspace(json);
  } else if (type == "Punctuation") {
    add_split(Regex("[\\p{P}$+<=>^`|~]"), json.has("behavior") ? json.text("behavior") : "Isolated", false,
              json);
  } else if (type == "WhitespaceSplit") {
    add_split(Regex("\\s"), "Removed", false, json);
  } else if (type == "Whitespace") {
    add_split(Regex(words_or_signs), "Removed", true, json);
  } else {
    json.refuse("type", fmt::format("is {}, a pre-tokeniser that is not supported", type));
  }
}

void PreTokenizer::cut(std::string text, bool begins, CutText& cut) const {
  cut.text = std::move(text);
  cut.pieces.clear();
  if (!cut.text.empty()) cut.pieces.push_back({0, cut.text.size()});
  for (const Step& step : steps_) step(cut, begins);
}

}  // namespace ladimo
