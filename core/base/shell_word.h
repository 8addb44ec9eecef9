// A word as a POSIX shell reads it.
#pragma once

#include <string>
#include <string_view>

namespace ladimo {

/// The word as it is if a shell leaves it alone, otherwise in single quotes.
std::string shell_word(std::string_view word);

}  // namespace ladimo
