// The grammar of expressions, from the weakest operator to the strongest.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jinja/token_reader.h"

namespace ladimo::jinja {

class ExpressionReader : protected TokenReader {
 protected:
  using TokenReader::TokenReader;

  using Kind = Expression::Kind;

  // Making.
  ExpressionPtr make(Kind kind, std::vector<ExpressionPtr> parts = {}, std::string name = {});
  void put(Expression& whole, ExpressionPtr part);
  ExpressionPtr pair(Kind kind, ExpressionPtr a, ExpressionPtr b, std::string name = {});
  ExpressionPtr single(Kind kind, ExpressionPtr a, std::string name = {});
  ExpressionPtr literal(Value value);

  // Reading what statements are made of.
  ExpressionPtr read_expression();
  /// An expression without the inline `if`.
  ExpressionPtr read_or();
  /// One expression, or several between commas.
  ExpressionPtr read_tuple();
  ExpressionPtr read_filter(ExpressionPtr value);
  ExpressionPtr read_filter_after_bar(ExpressionPtr value);
  /// What follows a value: filters, tests and calls.
  ExpressionPtr read_filters(ExpressionPtr value);
  /// Reads things between commas up to a closing bracket.
  template <class Read>
  void read_until(std::string_view close, Read read) {
    while (!skip_symbol(close)) {
      read();
      if (!is_symbol(close)) expect_symbol(",");
    }
  }

 private:
  ExpressionPtr read_and();
  ExpressionPtr read_not();
  ExpressionPtr read_compare();
  std::optional<std::string> read_comparison();
  template <class Operand>
  ExpressionPtr read_chain(std::initializer_list<std::string_view> symbols, Operand operand);
  ExpressionPtr read_sum();
  ExpressionPtr read_concat();
  ExpressionPtr read_product();
  ExpressionPtr read_unary(bool with_filters);
  ExpressionPtr read_primary();
  bool ends_tag() const;
  ExpressionPtr read_postfix(ExpressionPtr value);
  ExpressionPtr read_attribute(ExpressionPtr value);
  ExpressionPtr read_subscript(ExpressionPtr value);
  /// Reads arguments into `call`, whose other parts are there already.
  ExpressionPtr read_call(ExpressionPtr call);
  ExpressionPtr read_test(ExpressionPtr value);
  bool begins_argument() const;
};

}  // namespace ladimo::jinja
