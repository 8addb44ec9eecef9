// The arguments of a call.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/value.h"

namespace ladimo::jinja {

struct Arguments {
  std::vector<Value> values;                         // by place
  std::vector<std::pair<std::string, Value>> named;  // by name

  /// Throws Failure, which names `function`, for arguments beyond those that it has: its parameters in their
  /// order.
  void fit(std::string_view function, std::initializer_list<std::string_view> parameters) const;
  /// The argument at `place`, or of that name; null when it is not given.
  const Value* find(std::size_t place, std::string_view name) const;
  /// The same as text. Throws Failure when it is absent or no text.
  const std::string& text(std::size_t place, std::string_view name) const;
  bool flag(std::size_t place, std::string_view name, bool otherwise) const;
};

}  // namespace ladimo::jinja
