// Characters in UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace ladimo {

struct Utf8Character {
  char32_t value = 0;     // U+FFFD where the bytes are no character
  std::size_t bytes = 0;  // at least 1; where the bytes are no character, as many as could have begun one
  bool valid = true;
};

/// The character that begins at `text[at]`. Precondition: at < text.size().
Utf8Character utf8_at(std::string_view text, std::size_t at);

void append_utf8(char32_t character, std::string& text);

/// Where `text` stops being UTF-8; absent when all of it is.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// The beginning of UTF-8 `text`, at most `most` bytes, not cut inside a character, with dots where it is
/// cut.
std::string shortened(std::string_view text, std::size_t most);

/// `bytes` as text: what is no character becomes U+FFFD, one for each part that could have begun one.
std::string with_replacements(std::string_view bytes);

/// Whether a character is White_Space in Unicode.
bool is_white_space(char32_t character);

}  // namespace ladimo
