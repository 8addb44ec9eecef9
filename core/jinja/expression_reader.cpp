#include "jinja/expression_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace ladimo::jinja {

ExpressionPtr ExpressionReader::make(Kind kind, std::vector<ExpressionPtr> parts, std::string name) {
  auto made = std::make_unique<Expression>();
  made->kind = kind;
  made->line = token().line;
  made->name = std::move(name);
  for (ExpressionPtr& part : parts) put(*made, std::move(part));
  return made;
}

void ExpressionReader::put(Expression& whole, ExpressionPtr part) {
  if (part) whole.depth = std::max(whole.depth, part->depth + 1);
  if (whole.depth > deepest) fail("an expression is nested too deeply");
  whole.parts.push_back(std::move(part));
}

ExpressionPtr ExpressionReader::pair(Kind kind, ExpressionPtr a, ExpressionPtr b, std::string name) {
  std::vector<ExpressionPtr> parts;
  parts.push_back(std::move(a));
  parts.push_back(std::move(b));
  return make(kind, std::move(parts), std::move(name));
}

ExpressionPtr ExpressionReader::single(Kind kind, ExpressionPtr a, std::string name) {
  std::vector<ExpressionPtr> parts;
  parts.push_back(std::move(a));
  return make(kind, std::move(parts), std::move(name));
}

ExpressionPtr ExpressionReader::literal(Value value) {
  auto made = make(Kind::literal);
  made->value = std::move(value);
  return made;
}

ExpressionPtr ExpressionReader::read_expression() {
  const Level level(*this);
  ExpressionPtr value = read_or();
  while (skip_word("if")) {
    value = pair(Kind::choice, std::move(value), read_or());
    put(*value, skip_word("else") ? read_expression() : nullptr);
  }
  return value;
}

ExpressionPtr ExpressionReader::read_or() {
  ExpressionPtr left = read_and();
  while (skip_word("or")) left = pair(Kind::disjunction, std::move(left), read_and());
  return left;
}

ExpressionPtr ExpressionReader::read_and() {
  ExpressionPtr left = read_not();
  while (skip_word("and")) left = pair(Kind::conjunction, std::move(left), read_not());
  return left;
}

ExpressionPtr ExpressionReader::read_not() {
  const Level level(*this);
  if (skip_word("not")) return single(Kind::inverse, read_not());
  return read_compare();
}

ExpressionPtr ExpressionReader::read_compare() {
  ExpressionPtr first = read_sum();
  ExpressionPtr all;
  while (const auto comparison = read_comparison()) {
    if (!all) all = single(Kind::compare, std::move(first));
    all->names.push_back(*comparison);
    put(*all, read_sum());
  }
  return all ? std::move(all) : std::move(first);
}

std::optional<std::string> ExpressionReader::read_comparison() {
  for (const std::string_view symbol : {"==", "!=", "<=", ">=", "<", ">"})
    if (skip_symbol(symbol)) return std::string(symbol);
  if (skip_word("in")) return "in";
  if (!is_word("not") || !is_word("in", 1)) return std::nullopt;
  take();
  take();
  return "not in";
}

template <class Operand>
ExpressionPtr ExpressionReader::read_chain(std::initializer_list<std::string_view> symbols, Operand operand) {
  ExpressionPtr left = operand();
  while (true) {
    const auto found = std::ranges::find_if(symbols, [&](auto symbol) { return is_symbol(symbol); });
    if (found == symbols.end()) return left;
    take();
    left = pair(Kind::arithmetic, std::move(left), operand(), std::string(*found));
  }
}

ExpressionPtr ExpressionReader::read_sum() {
  return read_chain({"+", "-"}, [&] { return read_concat(); });
}

ExpressionPtr ExpressionReader::read_concat() {
  ExpressionPtr first = read_product();
  if (!is_symbol("~")) return first;
  ExpressionPtr all = single(Kind::concat, std::move(first));
  while (skip_symbol("~")) put(*all, read_product());
  return all;
}

ExpressionPtr ExpressionReader::read_product() {
  return read_chain({"*", "//", "/", "%"}, [&] {
    auto factor = read_unary(true);
    if (is_symbol("**")) fail("the operator `**` is not supported");
    return factor;
  });
}

ExpressionPtr ExpressionReader::read_unary(bool with_filters) {
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

ExpressionPtr ExpressionReader::read_primary() {
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

ExpressionPtr ExpressionReader::read_tuple() {
  ExpressionPtr first = read_expression();
  if (!is_symbol(",")) return first;
  ExpressionPtr tuple = single(Kind::tuple, std::move(first));
  while (skip_symbol(",")) {
    if (is_symbol(")") || ends_tag()) break;
    put(*tuple, read_expression());
  }
  return tuple;
}

bool ExpressionReader::ends_tag() const {
  return token().kind == Token::Kind::statement_end || token().kind == Token::Kind::output_end;
}

ExpressionPtr ExpressionReader::read_postfix(ExpressionPtr value) {
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

ExpressionPtr ExpressionReader::read_attribute(ExpressionPtr value) {
  if (token().kind == Token::Kind::name) return single(Kind::attribute, std::move(value), take().text);
  if (token().kind != Token::Kind::integer) fail();
  return pair(Kind::item, std::move(value), literal(take().integer));
}

ExpressionPtr ExpressionReader::read_subscript(ExpressionPtr value) {
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

ExpressionPtr ExpressionReader::read_call(ExpressionPtr call) {
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

ExpressionPtr ExpressionReader::read_filters(ExpressionPtr value) {
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

ExpressionPtr ExpressionReader::read_filter(ExpressionPtr value) {
  expect_symbol("|");
  return read_filter_after_bar(std::move(value));
}

ExpressionPtr ExpressionReader::read_filter_after_bar(ExpressionPtr value) {
  ExpressionPtr filter = single(Kind::filter, std::move(value), expect_name());
  return is_symbol("(") ? read_call(std::move(filter)) : std::move(filter);
}

ExpressionPtr ExpressionReader::read_test(ExpressionPtr value) {
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

bool ExpressionReader::begins_argument() const {
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

}  // namespace ladimo::jinja
