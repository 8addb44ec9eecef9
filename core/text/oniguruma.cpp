#include "text/oniguruma.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "text/character_set.h"

namespace ladimo {
namespace {

constexpr int most_nested = 100;

/// Whole escapes outside brackets, and what PCRE2 calls them.
constexpr std::pair<char, const char*> whole_escapes[] = {{'A', "\\A"},     {'G', "\\G"},    {'K', "\\K"},
                                                          {'N', "(?-s:.)"}, {'O', "(?s:.)"}, {'R', "\\R"},
                                                          {'X', "\\X"},     {'Z', "\\Z"},    {'z', "\\z"}};

/// Escapes of one character.
constexpr std::pair<char, char32_t> control_characters[] = {{'a', 7},  {'e', 27}, {'f', 12}, {'n', 10},
                                                            {'r', 13}, {'t', 9},  {'v', 11}};

template <class Value, std::size_t count>
std::optional<Value> value_of(const std::pair<char, Value> (&rows)[count], char letter) {
  for (const auto& [known, value] : rows)
    if (known == letter) return value;
  return std::nullopt;
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

class Translator {
 public:
  explicit Translator(std::string_view expression) : text_(expression) {}

  std::string whole() {
    std::string result = alternatives();
    if (!at_end()) refuse("no group is open that could be closed");
    return result;
  }

 private:
  [[noreturn]] void refuse(std::string_view what) const {
    throw Refusal(
        fmt::format("The regular expression {} is not understood at byte {}: {}.", text_, at_, what),
        "Use another version of the tokenizer, such as tokenizer.model in place of tokenizer.json.");
  }

  bool at_end() const { return at_ >= text_.size(); }
  bool next_is(std::string_view part) const { return text_.substr(at_).starts_with(part); }
  bool take(std::string_view part) {
    if (!next_is(part)) return false;
    at_ += part.size();
    return true;
  }
  char take_byte() {
    if (at_end()) refuse("it ends too early");
    return text_[at_++];
  }
  char32_t take_character() {
    if (at_end()) refuse("it ends too early");
    const auto character = utf8_at(text_, at_);
    if (!character.valid) refuse("it is not UTF-8 text");
    at_ += character.bytes;
    return character.value;
  }
  /// Takes and returns what stands before `end`, which is taken too.
  std::string_view take_until(std::string_view end) {
    const auto begin = at_, found = text_.find(end, at_);
    if (found == text_.npos) refuse(fmt::format("{} is missing", end));
    at_ = found + end.size();
    return text_.substr(begin, found - begin);
  }

  /// All up to the end of the group or of the expression.
  std::string alternatives() {
    if (++nested_ > most_nested) refuse("groups are nested too deep");
    const bool caseless = caseless_;
    std::string result, closing;
    while (!at_end() && !next_is(")")) {
      previous_ = std::exchange(last_, 0);
      if (take("|")) {
        result += '|';
      } else if (take("(?#")) {
        take_until(")");
      } else if (take_lone_options()) {
        result += "(?" + options() + ':';  // up to the end of the group around them, past its alternatives
        take(")");
        closing += ')';
      } else {
        result += quantified(atom());
      }
    }
    last_ = 0;
    caseless_ = caseless;
    --nested_;
    return result + closing;
  }

  /// Takes the beginning of options that have no group of their own, such as (?i).
  bool take_lone_options() {
    const auto end = text_.find_first_not_of("im-", std::min(at_ + 2, text_.size()));
    return end != text_.npos && text_[end] == ')' && take("(?");
  }

  /// Takes letters such as i-m, up to what follows them, and returns their spelling in PCRE2.
  std::string options() {
    std::string spelling;
    bool on = true;
    while (!next_is(")") && !next_is(":")) {
      const char letter = take_byte();
      if (letter != '-' && letter != 'i' && letter != 'm')
        refuse(fmt::format("a group that begins with (?{} is not supported", letter));
      if (letter == '-') on = false;
      if (letter == 'i') caseless_ = on;
      spelling += letter == 'm' ? 's' : letter;  // a dot matches line ends
    }
    return spelling;
  }

  std::string opening_of_group() {
    if (next_is("*")) refuse("a group that begins with (* is not supported");
    if (!take("?")) return "(";
    for (const char* plain : {":", "=", "!", ">", "<=", "<!"})
      if (take(plain)) return fmt::format("(?{}", plain);
    if (take("<")) return fmt::format("(?<{}>", take_until(">"));
    const auto spelling = options();
    if (!take(":")) refuse("this group is not supported");
    return fmt::format("(?{}:", spelling);
  }

  std::string group() {
    const bool caseless = caseless_;
    const auto opening = opening_of_group(), inside = alternatives();
    if (!take(")")) refuse("a group is not closed");
    caseless_ = caseless;
    return opening + inside + ')';
  }

  std::string atom() {
    if (take("(")) return group();
    if (take("[")) return between_brackets().pattern();
    if (take("\\")) return escape();
    if (next_is(".") || next_is("^") || next_is("$")) return {take_byte()};
    if (quantifier()) refuse("there is nothing to repeat");
    return literal(take_character());
  }

  /// Takes a quantifier, with what says how eager it is.
  std::optional<std::string> quantifier() {
    for (const char* sign : {"*", "+", "?"})
      if (take(sign)) {
        std::string spelling = sign;
        if (next_is("?") || next_is("+")) spelling += take_byte();
        return spelling;
      }
    return interval();
  }

  /// Takes {n}, {n,}, {n,m} or {,m}; anything else in braces is plain text.
  std::optional<std::string> interval() {
    const auto end = text_.find('}', at_);
    if (!next_is("{") || end == text_.npos) return std::nullopt;
    const auto inside = text_.substr(at_ + 1, end - at_ - 1);
    const auto comma = inside.find(',');
    const bool range = comma != inside.npos;
    const auto least = inside.substr(0, comma), most = range ? inside.substr(comma + 1) : std::string_view();
    const auto is_number = [](std::string_view part) {
      return part.find_first_not_of("0123456789") == part.npos;
    };
    if (!is_number(least) || !is_number(most) || (least.empty() && most.empty())) return std::nullopt;
    at_ = end + 1;
    auto spelling = fmt::format("{{{}{}{}}}", least.empty() ? "0" : least, range ? "," : "", most);
    // Only a range can be lazy, and none is possessive: any other sign repeats the repetition.
    if (range && take("?")) spelling += '?';
    return spelling;
  }

  std::string quantified(std::string pattern) {
    bool again = false;
    while (const auto sign = quantifier()) {
      pattern = (again ? fmt::format("(?:{})", pattern) : pattern) + *sign;
      last_ = 0;
      again = true;
    }
    return pattern;
  }

  std::string literal(char32_t character) {
    if (caseless_ && is_folded_together(previous_, character))
      refuse("letters of which one letter is another form are not supported where case does not count");
    last_ = character;
    return spelled(character);
  }

  std::string escape() {
    if (at_end()) refuse("it ends too early");
    if (next_is("b") || next_is("B")) return boundary(take_byte() == 'b');
    if (const auto whole = value_of(whole_escapes, text_[at_])) {
      ++at_;
      return *whole;
    }
    if (const auto set = take_escaped_set(bare_word)) return set->pattern();
    return literal(escaped_character());
  }

  static std::string boundary(bool wanted) {
    const auto letter = Characters{std::string(bare_word), {}}.pattern();
    return wanted ? fmt::format("(?:(?<={0})(?!{0})|(?<!{0})(?={0}))", letter)
                  : fmt::format("(?:(?<={0})(?={0})|(?<!{0})(?!{0}))", letter);
  }

  /// The set that an escape stands for, whose backslash is taken; none where it is one character.
  std::optional<Characters> take_escaped_set(std::string_view letters) {
    if (at_end() || !is_set_letter(text_[at_])) return std::nullopt;
    const char letter = take_byte(), kind = static_cast<char>(letter | 0x20);
    bool turned = kind != letter;
    std::string_view name = kind == 'd' ? "digit" : kind == 'h' ? "xdigit" : kind == 's' ? "space" : "word";
    if (kind == 'p') {
      if (!take("{")) refuse("a property needs braces");
      turned = take("^") != turned;
      name = take_until("}");
    }
    return known(property_set(name, letters), name, turned);
  }

  Characters known(const std::optional<Characters>& set, std::string_view name, bool turned) const {
    if (!set) refuse(fmt::format("the characters {} are not supported", name));
    if (caseless_ && has_case(*set))
      refuse(fmt::format("the characters {} are not supported where case does not count", name));
    return turned ? set->others() : *set;
  }

  /// The character that an escape stands for, whose backslash is taken.
  char32_t escaped_character() {
    if (at_end() || !is_letter_or_digit(text_[at_])) return take_character();
    const char letter = take_byte();
    if (const auto control = value_of(control_characters, letter)) return *control;
    if (letter == 'u') return number(take_digits(4, 4));
    if (letter == 'x' && take("{")) return number(take_until("}"));
    if (letter != 'x') refuse(fmt::format("the escape \\{} is not supported", letter));
    const auto byte = number(take_digits(1, 2));
    if (byte >= 0x80) refuse("a byte that is no character is not supported");
    return byte;
  }

  std::string_view take_digits(std::size_t least, std::size_t most) {
    const auto digits = text_.substr(at_, most);
    const auto count = std::min(digits.find_first_not_of("0123456789abcdefABCDEF"), digits.size());
    if (count < least) refuse("hexadecimal digits are missing");
    at_ += count;
    return digits.substr(0, count);
  }

  char32_t number(std::string_view digits) const {
    std::uint32_t value = 0;
    const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    const bool surrogate = value >= 0xD800 && value < 0xE000;
    if (code != std::errc() || end != digits.data() + digits.size() || value > 0x10FFFF || surrogate)
      refuse(fmt::format("{} is the number of no character", digits));
    return value;
  }

  /// The set between brackets, of which the first is taken.
  Characters between_brackets() {
    if (++nested_ > most_nested) refuse("classes are nested too deep");
    const bool turned = take("^");
    std::vector<Characters> met(1);  // the set is what all of them have in common
    if (take("]")) met.back().items += spelled(U']');
    while (!take("]")) {
      if (take("&&"))
        met.emplace_back();
      else
        met.back().add(member());
    }
    --nested_;
    if (std::ranges::any_of(met, &Characters::empty)) refuse("a class is empty");
    const auto set = in_common(met);
    return turned ? set.others() : set;
  }

  /// A class, a set, a range or a character between brackets.
  Characters member() {
    if (auto posix = take_posix()) return *posix;
    if (take("[")) return between_brackets();
    if (next_is("\\") && !next_is("\\b")) {
      ++at_;
      if (auto set = take_escaped_set(word)) return *set;
      --at_;
    }
    const char32_t first = member_character();
    const bool range = next_is("-") && !next_is("-]") && !next_is("-&&");
    if (!range) return {spelled(first), {}};
    take("-");
    if (next_is("[")) refuse("a class ends a range");
    if (next_is("\\") && text_.substr(at_).size() > 1 && is_set_letter(text_[at_ + 1]))
      refuse("a class ends a range");
    const char32_t last = member_character();
    if (last < first) refuse("a range is empty");
    return {fmt::format("{}-{}", spelled(first), spelled(last)), {}};
  }

  char32_t member_character() {
    if (take("\\b")) return 8;
    return take("\\") ? escaped_character() : take_character();
  }

  /// [:alpha:] or [:^alpha:].
  std::optional<Characters> take_posix() {
    const auto end = text_.find_first_not_of("^abcdefghijklmnopqrstuvwxyz", std::min(at_ + 2, text_.size()));
    if (!next_is("[:") || end == text_.npos || !text_.substr(end).starts_with(":]")) return std::nullopt;
    take("[:");
    const bool turned = take("^");
    const auto name = take_until(":]");
    return known(posix_set(name), name, turned);
  }

  static bool is_set_letter(char letter) {
    return std::string_view("dDhHsSpPwW").find(letter) != std::string_view::npos;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int nested_ = 0;
  bool caseless_ = false;             // case does not count
  char32_t last_ = 0, previous_ = 0;  // a character without a quantifier, and the one before it; 0: none
};

}  // namespace

std::string pcre2_spelling(std::string_view expression) { return Translator(expression).whole(); }

}  // namespace ladimo
