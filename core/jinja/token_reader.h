// The tokens of a template, read one after another. The base of what reads the grammar.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "jinja/lexer.h"
#include "jinja/syntax.h"

namespace ladimo::jinja {

constexpr int deepest = 200;  // expressions or statements inside each other; both are walked by recursion

class TokenReader {
 protected:
  explicit TokenReader(std::string_view source) : tokens_(tokens_of(source)) {}

  const Token& token(std::size_t ahead = 0) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
  }
  Token take() {
    Token taken = token();
    if (at_ + 1 < tokens_.size()) ++at_;
    return taken;
  }
  bool is(Token::Kind kind, std::string_view text, std::size_t ahead = 0) const {
    return token(ahead).kind == kind && token(ahead).text == text;
  }
  bool is_symbol(std::string_view text, std::size_t ahead = 0) const {
    return is(Token::Kind::symbol, text, ahead);
  }
  bool is_word(std::string_view text, std::size_t ahead = 0) const {
    return is(Token::Kind::name, text, ahead);
  }
  bool skip_symbol(std::string_view text) {
    const bool found = is_symbol(text);
    if (found) take();
    return found;
  }
  bool skip_word(std::string_view text) {
    const bool found = is_word(text);
    if (found) take();
    return found;
  }
  [[noreturn]] void fail(std::string message) const { throw SyntaxFailure(std::move(message), token().line); }
  [[noreturn]] void fail() const {
    std::string text = token().text.substr(0, 40);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80u) != 0) text.pop_back();
    fail(fmt::format("`{}` does not belong here", text));
  }
  void expect_symbol(std::string_view text) {
    if (!skip_symbol(text)) fail();
  }
  std::string expect_name() {
    if (token().kind != Token::Kind::name) fail();
    return take().text;
  }
  void expect_end_of_tag() {
    if (token().kind != Token::Kind::statement_end) fail();
    take();
  }

  /// Counts how deep the parser is, as long as it lives.
  class Level {
   public:
    explicit Level(TokenReader& reader) : reader_(reader) {
      if (++reader_.level_ > deepest) reader_.fail("the template is nested too deeply");
    }
    ~Level() { --reader_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    TokenReader& reader_;
  };

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int level_ = 0;
};

}  // namespace ladimo::jinja
