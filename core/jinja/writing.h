// Values as text: as Python prints them, and as JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jinja/value.h"

namespace ladimo::jinja {

/// What `{{ value }}` prints: str() of Python.
std::string printed(const Value& value, Budget& budget);

struct JsonStyle {
  bool ascii = false;          // letters beyond ASCII as \uXXXX
  std::optional<int> indent;   // spaces per level; none: everything in one line
  std::string between = ", ";  // items
  std::string after_key = ": ";
  bool sorted = false;  // by key
};
/// json.dumps() of Python. Throws Failure when the value has no JSON.
std::string json_text(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace ladimo::jinja
