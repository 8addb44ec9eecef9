#include "jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "jinja/lexer.h"

namespace ladimo::jinja {
namespace {

using Kind = Expression::Kind;
using Words = std::initializer_list<std::string_view>;

constexpr int deepest = 200;  // expressions or statements inside each other; both are walked by recursion

class Parser {
 public:
  explicit Parser(std::string_view source) : tokens_(tokens_of(source)) {}

  Block run() {
    Block block = read_block({});
    if (token().kind != Token::Kind::end) fail();
    return block;
  }

 private:
  // Tokens.
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
    explicit Level(Parser& parser) : parser_(parser) {
      if (++parser_.level_ > deepest) parser_.fail("the template is nested too deeply");
    }
    ~Level() { --parser_.level_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    Parser& parser_;
  };

  // Expressions.
  ExpressionPtr make(Kind kind, std::vector<ExpressionPtr> parts = {}, std::string name = {}) {
    auto made = std::make_unique<Expression>();
    made->kind = kind;
    made->line = token().line;
    made->name = std::move(name);
    for (ExpressionPtr& part : parts) put(*made, std::move(part));
    return made;
  }
  void put(Expression& whole, ExpressionPtr part) {
    if (part) whole.depth = std::max(whole.depth, part->depth + 1);
    if (whole.depth > deepest) fail("an expression is nested too deeply");
    whole.parts.push_back(std::move(part));
  }
  ExpressionPtr pair(Kind kind, ExpressionPtr a, ExpressionPtr b, std::string name = {}) {
    std::vector<ExpressionPtr> parts;
    parts.push_back(std::move(a));
    parts.push_back(std::move(b));
    return make(kind, std::move(parts), std::move(name));
  }
  ExpressionPtr single(Kind kind, ExpressionPtr a, std::string name = {}) {
    std::vector<ExpressionPtr> parts;
    parts.push_back(std::move(a));
    return make(kind, std::move(parts), std::move(name));
  }
  ExpressionPtr literal(Value value) {
    auto made = make(Kind::literal);
    made->value = std::move(value);
    return made;
  }

  ExpressionPtr read_expression() {
    const Level level(*this);
    ExpressionPtr value = read_or();
    while (skip_word("if")) {
      value = pair(Kind::choice, std::move(value), read_or());
      put(*value, skip_word("else") ? read_expression() : nullptr);
    }
    return value;
  }

  ExpressionPtr read_or() {
    ExpressionPtr left = read_and();
    while (skip_word("or")) left = pair(Kind::disjunction, std::move(left), read_and());
    return left;
  }

  ExpressionPtr read_and() {
    ExpressionPtr left = read_not();
    while (skip_word("and")) left = pair(Kind::conjunction, std::move(left), read_not());
    return left;
  }

  ExpressionPtr read_not() {
    const Level level(*this);
    if (skip_word("not")) return single(Kind::inverse, read_not());
    return read_compare();
  }

  ExpressionPtr read_compare() {
    ExpressionPtr first = read_sum();
    ExpressionPtr all;
    while (const auto comparison = read_comparison()) {
      if (!all) all = single(Kind::compare, std::move(first));
      all->names.push_back(*comparison);
      put(*all, read_sum());
    }
    return all ? std::move(all) : std::move(first);
  }

  std::optional<std::string> read_comparison() {
    for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">"})
      if (skip_symbol(symbol)) return std::string(symbol);
    if (skip_word("in")) return "in";
    if (!is_word("not") || !is_word("in", 1)) return std::nullopt;
    take();
    take();
    return "not in";
  }

  template <class Operand>
  ExpressionPtr read_chain(Words symbols, Operand operand) {
    ExpressionPtr left = operand();
    while (true) {
      const auto found = std::ranges::find_if(symbols, [&](auto symbol) { return is_symbol(symbol); });
      if (found == symbols.end()) return left;
      take();
      left = pair(Kind::arithmetic, std::move(left), operand(), std::string(*found));
    }
  }

  ExpressionPtr read_sum() {
    return read_chain({"+", "-"}, [&] { return read_concat(); });
  }

  ExpressionPtr read_concat() {
    ExpressionPtr first = read_product();
    if (!is_symbol("~")) return first;
    ExpressionPtr all = single(Kind::concat, std::move(first));
    while (skip_symbol("~")) put(*all, read_product());
    return all;
  }

  ExpressionPtr read_product() {
    return read_chain({"*", "//", "/", "%"}, [&] {
      auto factor = read_unary(true);
      if (is_symbol("**")) fail("the operator `**` is not supported");
      return factor;
    });
  }

  ExpressionPtr read_unary(bool with_filters) {
    const Level level(*this);
    ExpressionPtr value;
    if (skip_symbol("-"))
      value = single(Kind::negative, read_unary(false));
    else if (skip_symbol("+"))
      value = single(Kind::positive, read_unary(false));
    else
      value = read_primary();
    value = read_postfix(std::move(value));
    return with_filters ? read_filters(std::move(value)) : std::move(value);
  }

  ExpressionPtr read_primary() {
    const Level level(*this);
    const Token first = token();
    switch (first.kind) {
      case Token::Kind::name:
        take();
        if (first.text == "true" || first.text == "True") return literal(true);
        if (first.text == "false" || first.text == "False") return literal(false);
        if (first.text == "none" || first.text == "None") return literal(None());
        return make(Kind::name, {}, first.text);
      case Token::Kind::text: {
        std::string text;
        while (token().kind == Token::Kind::text) text += take().text;
        return literal(std::move(text));
      }
      case Token::Kind::integer:
        take();
        return literal(first.integer);
      case Token::Kind::number:
        take();
        return literal(first.number);
      default:
        break;
    }
    if (skip_symbol("(")) {
      ExpressionPtr inner = is_symbol(")") ? make(Kind::tuple) : read_tuple();
      expect_symbol(")");
      return inner;
    }
    if (skip_symbol("[")) {
      ExpressionPtr list = make(Kind::list);
      read_until("]", [&] { put(*list, read_expression()); });
      return list;
    }
    if (!skip_symbol("{")) fail();
    ExpressionPtr dict = make(Kind::dict);
    read_until("}", [&] {
      put(*dict, read_expression());
      expect_symbol(":");
      put(*dict, read_expression());
    });
    return dict;
  }

  /// Reads things between commas up to a closing bracket.
  template <class Read>
  void read_until(std::string_view close, Read read) {
    while (!skip_symbol(close)) {
      read();
      if (!is_symbol(close)) expect_symbol(",");
    }
  }

  /// One expression, or several between commas.
  ExpressionPtr read_tuple() {
    ExpressionPtr first = read_expression();
    if (!is_symbol(",")) return first;
    ExpressionPtr tuple = single(Kind::tuple, std::move(first));
    while (skip_symbol(",")) {
      if (is_symbol(")") || ends_tag()) break;
      put(*tuple, read_expression());
    }
    return tuple;
  }

  bool ends_tag() const {
    return token().kind == Token::Kind::statement_end || token().kind == Token::Kind::output_end;
  }

  ExpressionPtr read_postfix(ExpressionPtr value) {
    while (true) {
      if (skip_symbol("."))
        value = read_attribute(std::move(value));
      else if (skip_symbol("["))
        value = read_subscript(std::move(value));
      else if (is_symbol("("))
        value = read_call(single(Kind::call, std::move(value)));
      else
        return value;
    }
  }

  ExpressionPtr read_attribute(ExpressionPtr value) {
    if (token().kind == Token::Kind::name) return single(Kind::attribute, std::move(value), take().text);
    if (token().kind != Token::Kind::integer) fail();
    return pair(Kind::item, std::move(value), literal(take().integer));
  }

  ExpressionPtr read_subscript(ExpressionPtr value) {
    ExpressionPtr first = is_symbol(":") ? nullptr : read_expression();
    if (skip_symbol("]")) return pair(Kind::item, std::move(value), std::move(first));
    ExpressionPtr slice = pair(Kind::slice, std::move(value), std::move(first));
    for (int bound = 0; bound < 2; ++bound) {
      const bool given = skip_symbol(":") && !is_symbol(":") && !is_symbol("]");
      put(*slice, given ? read_expression() : nullptr);
    }
    if (is_symbol(",")) fail("a subscript of several parts is not supported");
    expect_symbol("]");
    return slice;
  }

  /// Reads arguments into `call`, whose other parts are there already.
  ExpressionPtr read_call(ExpressionPtr call) {
    expect_symbol("(");
    read_until(")", [&] {
      if (is_symbol("*") || is_symbol("**")) fail("`*` before an argument is not supported");
      if (token().kind == Token::Kind::name && is_symbol("=", 1)) {
        std::string name = take().text;
        take();
        ExpressionPtr value = read_expression();
        call->depth = std::max(call->depth, value->depth + 1);
        call->named.emplace_back(std::move(name), std::move(value));
      } else if (call->named.empty()) {
        put(*call, read_expression());
      } else {
        fail("an argument without a name stands after one with a name");
      }
    });
    if (call->depth > deepest) fail("an expression is nested too deeply");
    return call;
  }

  ExpressionPtr read_filters(ExpressionPtr value) {
    while (true) {
      if (is_symbol("|"))
        value = read_filter(std::move(value));
      else if (is_word("is"))
        value = read_test(std::move(value));
      else if (is_symbol("("))
        value = read_call(single(Kind::call, std::move(value)));
      else
        return value;
    }
  }

  ExpressionPtr read_filter(ExpressionPtr value) {
    expect_symbol("|");
    return read_filter_after_bar(std::move(value));
  }

  ExpressionPtr read_filter_after_bar(ExpressionPtr value) {
    ExpressionPtr filter = single(Kind::filter, std::move(value), expect_name());
    return is_symbol("(") ? read_call(std::move(filter)) : std::move(filter);
  }

  ExpressionPtr read_test(ExpressionPtr value) {
    take();
    const bool negated = skip_word("not");
    ExpressionPtr test = single(Kind::test, std::move(value), expect_name());
    if (is_symbol("(")) {
      test = read_call(std::move(test));
    } else if (begins_argument()) {
      if (is_word("is")) fail("two tests with `is` follow each other");
      put(*test, read_postfix(read_primary()));
    }
    return negated ? single(Kind::inverse, std::move(test)) : std::move(test);
  }

  bool begins_argument() const {
    switch (token().kind) {
      case Token::Kind::name:
        return !is_word("else") && !is_word("or") && !is_word("and");
      case Token::Kind::text:
      case Token::Kind::integer:
      case Token::Kind::number:
        return true;
      default:
        return is_symbol("[") || is_symbol("{");
    }
  }

  // Statements.
  static Statement statement(Statement::Kind kind, int line) {
    Statement made;
    made.kind = kind;
    made.line = line;
    return made;
  }

  /// Reads statements up to a tag that begins with one of `ends`, or up to the end of the template. The word
  /// is the next token then.
  Block read_block(Words ends) {
    const Level level(*this);
    Block block;
    while (token().kind != Token::Kind::end) {
      const int line = token().line;
      if (token().kind == Token::Kind::data) {
        block.push_back(statement(Statement::Kind::data, line));
        block.back().text = take().text;
      } else if (token().kind == Token::Kind::output_begin) {
        take();
        block.push_back(statement(Statement::Kind::output, line));
        block.back().values.push_back(read_tuple());
        if (token().kind != Token::Kind::output_end) fail();
        take();
      } else {
        take();
        if (std::ranges::any_of(ends, [&](auto word) { return is_word(word); })) return block;
        block.push_back(read_statement());
      }
    }
    if (ends.size() != 0) fail(fmt::format("`{}` is missing", *(ends.end() - 1)));
    return block;
  }

  /// Reads a body and the word that ends it. The end of that tag is still to be read.
  Block read_body(Words ends) {
    expect_end_of_tag();
    return read_block(ends);
  }
  Block read_whole_body(std::string_view end) {
    ++inner_;
    Block body = read_body({end});
    --inner_;
    take();
    expect_end_of_tag();
    return body;
  }

  Statement read_statement() {
    const int line = token().line;
    if (token().kind != Token::Kind::name) fail();
    const std::string word = take().text;
    if (word == "if") return read_if(line);
    if (word == "for") return read_for(line);
    if (word == "set") return read_set(line);
    if (word == "macro") return read_macro(line);
    if (word == "with") return read_with(line);
    if (word == "filter") {
      Statement filter = statement(Statement::Kind::filter, line);
      filter.values.push_back(read_filters(read_filter_after_bar(nullptr)));
      filter.bodies.push_back(read_whole_body("endfilter"));
      return filter;
    }
    if (word == "generation") {  // of transformers: marks what the assistant says
      Statement scope = statement(Statement::Kind::scope, line);
      scope.bodies.push_back(read_whole_body("endgeneration"));
      return scope;
    }
    if (word == "break" || word == "continue") {
      if (loops_ == 0) fail(fmt::format("`{}` stands outside of a loop", word));
      expect_end_of_tag();
      return statement(word == "break" ? Statement::Kind::stop : Statement::Kind::next, line);
    }
    throw SyntaxFailure(fmt::format("the statement `{}` is not supported", word), line);
  }

  Statement read_if(int line) {
    Statement choice = statement(Statement::Kind::choice, line);
    while (true) {
      choice.values.push_back(read_condition());
      choice.bodies.push_back(read_body({"elif", "else", "endif"}));
      const std::string word = take().text;
      if (word == "elif") continue;
      if (word == "else") {
        choice.bodies.push_back(read_body({"endif"}));
        take();
      }
      expect_end_of_tag();
      return choice;
    }
  }

  /// The condition of `if` and `elif`. As in Jinja, it is a tuple without the inline `if`.
  ExpressionPtr read_condition() { return read_or(); }

  Statement read_for(int line) {
    Statement loop = statement(Statement::Kind::loop, line);
    loop.target = read_target(false);
    if (!skip_word("in")) fail();
    ExpressionPtr items = read_or();
    if (is_symbol(",")) {
      items = single(Kind::tuple, std::move(items));
      while (skip_symbol(",")) put(*items, read_or());
    }
    loop.values.push_back(std::move(items));
    loop.values.push_back(skip_word("if") ? read_expression() : nullptr);
    if (is_word("recursive")) fail("a `recursive` loop is not supported");
    ++loops_;
    ++inner_;
    loop.bodies.push_back(read_body({"else", "endfor"}));
    --loops_;
    loop.bodies.emplace_back();
    if (take().text == "else") {
      loop.bodies.back() = read_body({"endfor"});
      take();
    }
    --inner_;
    expect_end_of_tag();
    return loop;
  }

  Target read_target(bool may_be_attribute) {
    Target target;
    const bool brackets = skip_symbol("(");
    target.names.push_back(expect_name());
    if (may_be_attribute && !brackets && skip_symbol(".")) {
      target.attribute = expect_name();
      return target;
    }
    while (skip_symbol(",")) {
      target.unpacks = true;
      if (token().kind != Token::Kind::name || is_word("in")) break;
      target.names.push_back(expect_name());
    }
    if (brackets) expect_symbol(")");
    for (const std::string& name : target.names)
      if (name == "true" || name == "false" || name == "none" || name == "True" || name == "False" ||
          name == "None")
        fail(fmt::format("`{}` cannot be given a value", name));
    return target;
  }

  Statement read_set(int line) {
    Statement set = statement(Statement::Kind::set, line);
    set.target = read_target(true);
    if (skip_symbol("=")) {
      set.values.push_back(read_tuple());
      expect_end_of_tag();
      return set;
    }
    set.kind = Statement::Kind::capture;
    set.values.push_back(is_symbol("|") ? read_filters(read_filter(nullptr)) : nullptr);
    set.bodies.push_back(read_whole_body("endset"));
    return set;
  }

  Statement read_macro(int line) {
    // A macro sees the variables around it. Those of the template itself are always there; those of a loop
    // are gone when it ends.
    if (inner_ > 0) fail("a macro inside a loop or another macro is not supported");
    Statement made = statement(Statement::Kind::macro, line);
    made.macro = std::make_unique<Macro>();
    Macro& macro = *made.macro;
    macro.name = expect_name();
    expect_symbol("(");
    read_until(")", [&] {
      macro.parameters.push_back(expect_name());
      if (skip_symbol("="))
        macro.defaults.push_back(read_expression());
      else if (!macro.defaults.empty())
        fail("a parameter without a default stands after one with a default");
    });
    const int loops = std::exchange(loops_, 0);
    macro.body = read_whole_body("endmacro");
    loops_ = loops;
    return made;
  }

  Statement read_with(int line) {
    Statement scope = statement(Statement::Kind::scope, line);
    while (token().kind == Token::Kind::name) {
      scope.target.names.push_back(take().text);
      expect_symbol("=");
      scope.values.push_back(read_expression());
      if (!skip_symbol(",")) break;
    }
    scope.bodies.push_back(read_whole_body("endwith"));
    return scope;
  }

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int level_ = 0;
  int loops_ = 0;  // around the statement that is read, inside the same macro
  int inner_ = 0;  // scopes around it
};

}  // namespace

Block parse(std::string_view source) { return Parser(source).run(); }

}  // namespace ladimo::jinja
