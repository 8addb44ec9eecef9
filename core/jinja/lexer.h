// A template as tokens. White space around tags is handled here, as Hugging Face's environment handles it:
// trim_blocks and lstrip_blocks are on, and one line end at the end of the template is left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ladimo::jinja {

struct Token {
  enum class Kind {
    data,             // text between tags
    output_begin,     // {{
    output_end,       // }}
    statement_begin,  // {%
    statement_end,    // %}
    name,
    text,  // a literal, its escapes resolved
    integer,
    number,
    symbol,  // an operator or a bracket
    end
  };
  Kind kind = Kind::end;
  std::string text;  // what it says
  int line = 0;
  std::int64_t integer = 0;
  double number = 0;
};

/// The tokens of `source`, the last of which is `end`. Precondition: `source` is UTF-8. Throws SyntaxFailure.
std::vector<Token> tokens_of(std::string_view source);

}  // namespace ladimo::jinja
