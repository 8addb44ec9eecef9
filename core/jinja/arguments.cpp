#include "jinja/arguments.h"

#include <algorithm>

#include <fmt/format.h>

namespace ladimo::jinja {

void Arguments::fit(std::string_view function, std::initializer_list<std::string_view> parameters) const {
  if (values.size() > parameters.size())
    throw Failure(fmt::format("`{}` takes {} arguments, not {}", function, parameters.size(), values.size()));
  for (const auto& [name, value] : named) {
    const auto known = std::ranges::find(parameters, name);
    if (known == parameters.end())
      throw Failure(fmt::format("the argument `{}` of `{}` is not supported", name, function));
    if (known - parameters.begin() < static_cast<std::ptrdiff_t>(values.size()))
      throw Failure(fmt::format("`{}` is given its argument `{}` twice", function, name));
  }
}

const Value* Arguments::find(std::size_t place, std::string_view name) const {
  if (place < values.size()) return &values[place];
  const auto found = std::ranges::find(named, name, &std::pair<std::string, Value>::first);
  return found == named.end() ? nullptr : &found->second;
}

const std::string& Arguments::text(std::size_t place, std::string_view name) const {
  const Value* value = find(place, name);
  if (value == nullptr || value->text() == nullptr)
    throw Failure(
        fmt::format("the argument `{}` must be a text, not {}", name, value ? type_of(*value) : "left out"));
  return *value->text();
}

bool Arguments::flag(std::size_t place, std::string_view name, bool otherwise) const {
  const Value* value = find(place, name);
  return value ? truth(*value) : otherwise;
}

}  // namespace ladimo::jinja
