#include "jinja/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "jinja/syntax.h"
#include "jinja/unicode.h"

namespace ladimo::jinja {
namespace {

constexpr std::string_view symbols[] = {"//", "**", "==", "!=", "<=", ">=", "+", "-", "/",
                                        "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                        "<",  ">",  "=",  ".",  ":",  "|",  ",", ";"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

/// Line ends as \n, and none at the end.
std::string with_plain_lines(std::string_view source) {
  std::string text;
  for (std::size_t i = 0; i < source.size(); ++i) {
    const bool is_return = source[i] == '\r';
    text += is_return ? '\n' : source[i];
    if (is_return && i + 1 < source.size() && source[i + 1] == '\n') ++i;
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(with_plain_lines(source)) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) read_root();
    tokens_.push_back({Token::Kind::end, "the end of the template", line_});
    return std::move(tokens_);
  }

 private:
  std::string_view rest() const { return std::string_view(text_).substr(at_); }
  bool here(std::string_view what) const { return rest().starts_with(what); }
  void advance(std::size_t count) {
    line_ += static_cast<int>(std::ranges::count(rest().substr(0, count), '\n'));
    at_ += count;
  }
  [[noreturn]] void refuse(std::string message) const { throw SyntaxFailure(std::move(message), line_); }
  void add(Token::Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  void skip_space() {
    const auto left = strip(rest(), nullptr, true, false);
    advance(rest().size() - left.size());
  }

  /// Text up to the next tag, and what the tag holds.
  void read_root() {
    std::size_t begin = rest().find('{');
    while (begin != std::string_view::npos && !is_tag(begin)) begin = rest().find('{', begin + 1);
    if (begin == std::string_view::npos) {
      add(Token::Kind::data, std::string(rest()));
      return advance(rest().size());
    }
    const char kind = text_[at_ + begin + 1];
    const std::size_t sign_at = at_ + begin + 2;
    const char sign = sign_at < text_.size() ? text_[sign_at] : ' ';
    add_data(begin, sign, kind != '{');
    advance(sign == '-' || sign == '+' ? 3 : 2);
    if (kind == '#') return skip_comment();
    if (kind == '%' && is_raw("raw")) return read_raw();
    add(kind == '{' ? Token::Kind::output_begin : Token::Kind::statement_begin, kind == '{' ? "{{" : "{%");
    read_tag(kind == '{' ? "}}" : "%}");
  }

  bool is_tag(std::size_t begin) const {
    const std::size_t next = at_ + begin + 1;
    return next < text_.size() && (text_[next] == '{' || text_[next] == '%' || text_[next] == '#');
  }

  /// Adds the `count` bytes before a tag as text, without the white space that the tag takes along.
  void add_data(std::size_t count, char sign, bool is_block) {
    std::string_view data = rest().substr(0, count);
    if (sign == '-') {
      data = strip(data, nullptr, false, true);
    } else if (sign != '+' && is_block) {
      const auto line_begin = data.rfind('\n') + 1;  // 0 where there is no line end
      if ((line_begin > 0 || at_line_begin_) && is_blank(data.substr(line_begin)))
        data = data.substr(0, line_begin);
    }
    if (!data.empty()) add(Token::Kind::data, std::string(data));
    advance(count);
  }

  /// Moves behind the end of a tag and the white space that it takes along. `close` may begin with a sign.
  void end_tag(std::string_view close, bool takes_line_end) {
    const std::size_t begin = at_;
    const bool strips = here("-"), keeps = here("+");
    advance(close.size() + (strips || keeps ? 1 : 0));
    if (strips)
      skip_space();
    else if (!keeps && takes_line_end && here("\n"))
      advance(1);
    at_line_begin_ = at_ > begin && text_[at_ - 1] == '\n';
  }

  bool closes(std::string_view close, bool may_keep) const {
    return here(close) || (here("-") && rest().substr(1).starts_with(close)) ||
           (may_keep && here("+") && rest().substr(1).starts_with(close));
  }

  void skip_comment() {
    const auto end = rest().find("#}");
    if (end == std::string_view::npos) refuse("a comment has no end");
    const bool signed_end = end > 0 && (rest()[end - 1] == '-' || rest()[end - 1] == '+');
    advance(signed_end ? end - 1 : end);
    end_tag("#}", true);
  }

  /// Whether `name` and the end of the tag are here.
  bool is_raw(std::string_view name) const {
    std::string_view tag = strip(rest(), nullptr, true, false);
    if (!tag.starts_with(name)) return false;
    tag = strip(tag.substr(name.size()), nullptr, true, false);
    return tag.starts_with("%}") || tag.starts_with("-%}") || tag.starts_with("+%}");
  }

  void read_raw() {
    skip_space();
    advance(std::string_view("raw").size());
    skip_space();
    end_tag("%}", false);
    for (std::size_t begin = rest().find("{%"); begin != std::string_view::npos;
         begin = rest().find("{%", begin + 2)) {
      const std::size_t after = at_ + begin + 2;
      const char sign = after < text_.size() ? text_[after] : ' ';
      const bool has_sign = sign == '-' || sign == '+';
      const std::size_t was = at_;
      at_ = std::min(after + (has_sign ? 1 : 0), text_.size());
      const bool ends = is_raw("endraw");
      at_ = was;
      if (!ends) continue;
      add_data(begin, sign, true);
      advance(has_sign ? 3 : 2);
      skip_space();
      advance(std::string_view("endraw").size());
      skip_space();
      return end_tag("%}", true);
    }
    refuse("`raw` has no end");
  }

  void read_tag(std::string_view close) {
    const bool is_block = close == "%}";
    std::string open;  // brackets; an end of the tag inside them is not one
    while (true) {
      skip_space();
      if (at_ >= text_.size()) refuse(fmt::format("a tag has no `{}`", close));
      if (open.empty() && closes(close, is_block)) {
        add(is_block ? Token::Kind::statement_end : Token::Kind::output_end, std::string(close));
        return end_tag(close, is_block);
      }
      const char c = text_[at_];
      if (is_digit(c))
        read_number();
      else if (begins_name(c))
        read_name();
      else if (c == '\'' || c == '"')
        read_text(c);
      else
        read_symbol(open);
    }
  }

  void read_name() {
    const auto name = rest();
    std::size_t end = 1;
    while (end < name.size() && (begins_name(name[end]) || is_digit(name[end]))) ++end;
    add(Token::Kind::name, std::string(name.substr(0, end)));
    advance(end);
  }

  void read_symbol(std::string& open) {
    const auto found = std::ranges::find_if(symbols, [&](std::string_view symbol) { return here(symbol); });
    if (found == std::end(symbols)) {
      const std::string character(rest().substr(0, character_bytes(rest(), 0)));
      refuse(fmt::format("`{}` means nothing here", character));
    }
    const char c = (*found)[0];
    if (c == '(' || c == '[' || c == '{') open += c == '(' ? ')' : c == '[' ? ']' : '}';
    if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) refuse(fmt::format("`{}` closes nothing", c));
      open.pop_back();
    }
    add(Token::Kind::symbol, std::string(*found));
    advance(found->size());
  }

  void read_number() {
    const auto digits = rest();
    std::string text;
    std::size_t end = 0;
    bool whole = true;
    const auto take_digits = [&] {
      while (end < digits.size() && (is_digit(digits[end]) || digits[end] == '_')) {
        if (digits[end] != '_') text += digits[end];
        ++end;
      }
    };
    const auto digit_at = [&](std::size_t at) { return at < digits.size() && is_digit(digits[at]); };
    take_digits();
    if (end < digits.size() && digits[end] == '.' && digit_at(end + 1)) {
      whole = false;
      text += '.';
      ++end;
      take_digits();
    }
    if (end < digits.size() && (digits[end] == 'e' || digits[end] == 'E')) {
      const bool sign = end + 1 < digits.size() && (digits[end + 1] == '+' || digits[end + 1] == '-');
      if (digit_at(end + (sign ? 2 : 1))) {
        whole = false;
        text += 'e';
        if (sign) text += digits[end + 1];
        end += sign ? 2 : 1;
        take_digits();
      }
    }
    if (end < digits.size() && begins_name(digits[end]))
      refuse(fmt::format("`{}` is no number", digits.substr(0, end + 1)));
    Token token{whole ? Token::Kind::integer : Token::Kind::number, text, line_};
    const char *first = text.data(), *last = text.data() + text.size();
    const auto code = whole ? std::from_chars(first, last, token.integer).ec
                            : std::from_chars(first, last, token.number).ec;
    if (code != std::errc()) refuse(fmt::format("the number {} is out of range", text.substr(0, 40)));
    tokens_.push_back(std::move(token));
    advance(end);
  }

  void read_text(char quote) {
    const auto source = rest();
    std::size_t end = 1;
    while (end < source.size() && source[end] != quote) end += source[end] == '\\' ? 2 : 1;
    if (end >= source.size()) refuse("a text in quotation marks has no end");
    add(Token::Kind::text, unescaped(source.substr(1, end - 1)));
    advance(end + 1);
  }

  std::string unescaped(std::string_view text) const {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        plain += text[i];
        continue;
      }
      ++i;  // an escape has a second character: read_text() made sure of it
      constexpr std::string_view names = "abfnrtv\\'\"", values = "\a\b\f\n\r\t\v\\'\"";
      const auto known = names.find(text[i]);
      if (text[i] == '\n') continue;
      if (known != names.npos)
        plain += values[known];
      else if (text[i] >= '0' && text[i] <= '7')
        i += append_code(plain, text.substr(i), 8, 3) - 1;
      else if (text[i] == 'x' || text[i] == 'u' || text[i] == 'U')
        i += append_code(plain, text.substr(i + 1), 16, text[i] == 'x' ? 2 : text[i] == 'u' ? 4 : 8);
      else if (text[i] == 'N')
        refuse("the escape `\\N` is not supported");
      else
        plain.append("\\").append(1, text[i]);
    }
    return plain;
  }

  /// Appends the character whose number `digits` begins with. Returns the digits used.
  std::size_t append_code(std::string& plain, std::string_view digits, int base, std::size_t most) const {
    std::uint32_t code = 0;
    const auto part = digits.substr(0, most);
    const auto used = static_cast<std::size_t>(
        std::from_chars(part.data(), part.data() + part.size(), code, base).ptr - part.data());
    if ((base == 16 && used != most) || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
      refuse("an escape in a text names no character");
    append_character(plain, code);
    return used;
  }

  std::string text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool at_line_begin_ = true;
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokens_of(std::string_view source) { return Lexer(source).run(); }

}  // namespace ladimo::jinja
