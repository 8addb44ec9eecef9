#include "transfer/format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "transfer/native_format.h"

namespace ladimo {

const std::vector<const Format*>& formats() {
  static const std::vector<const Format*> all = {&native_format()};
  return all;
}

const Format& format_named(const std::string& name) {
  std::vector<std::string> names;
  for (const Format* format : formats()) {
    if (format->name() == name) return *format;
    names.emplace_back(format->name());
  }
  throw Refusal(fmt::format("This version cannot write the format \"{}\".", name),
                fmt::format("Set {{format}} to {}.", fmt::join(names, " or ")));
}

}  // namespace ladimo
