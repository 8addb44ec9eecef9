#include "jinja/parser.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <fmt/format.h>

#include "jinja/expression_reader.h"

namespace ladimo::jinja {
namespace {

using Words = std::initializer_list<std::string_view>;

class Parser : private ExpressionReader {
 public:
  explicit Parser(std::string_view source) : ExpressionReader(source) {}

  Block run() {
    Block block = read_block({});
    if (token().kind != Token::Kind::end) fail();
    return block;
  }

 private:
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

  int loops_ = 0;  // around the statement that is read, inside the same macro
  int inner_ = 0;  // scopes around it
};

}  // namespace

Block parse(std::string_view source) { return Parser(source).run(); }

}  // namespace ladimo::jinja
