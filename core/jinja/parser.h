// The grammar of templates.
#pragma once

#include <string_view>

#include "jinja/syntax.h"

namespace ladimo::jinja {

/// Reads a template. Precondition: `source` is UTF-8. Throws SyntaxFailure: what is wrong or not supported,
/// by name, and its line.
Block parse(std::string_view source);

}  // namespace ladimo::jinja
