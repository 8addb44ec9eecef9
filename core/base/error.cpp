#include "base/error.h"

#include <new>

#include <fmt/format.h>

namespace ladimo {

Problem problem_of(const std::exception& failure) {
  if (const auto* error = dynamic_cast<const Error*>(&failure)) return error->problem();
  if (const auto* error = dynamic_cast<const std::filesystem::filesystem_error*>(&failure))
    return {fmt::format("{} cannot be used: {}.",
                        error->path1().empty() ? "An empty file name" : error->path1().string(),
                        error->code().message()),
            "Check the name and its permissions.", error->path1()};
  if (dynamic_cast<const std::bad_alloc*>(&failure) != nullptr)
    return {"There is not enough memory for this.",
            "Use fewer calibration tokens ({tokens}), or a smaller {window}.",
            {}};
  return {fmt::format("Internal error: {}", failure.what()),
          "This is a bug. Please report it with the command that you ran.",
          {}};
}

}  // namespace ladimo
