// Whether bytes are UTF-8 text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ladimo {

/// The first byte at which `text` is no UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above
/// U+10FFFF). Absent when all of it is.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// The beginning of UTF-8 `text`, at most `most` bytes, not cut inside a character, with dots where it is
/// cut.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace ladimo
