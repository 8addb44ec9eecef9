// Dates as strftime() of Python writes them in English.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace ladimo::jinja {

/// Throws Failure, which names it, for a part of `format` that is not supported.
std::string date_text(std::chrono::sys_seconds time, std::string_view format);

}  // namespace ladimo::jinja
