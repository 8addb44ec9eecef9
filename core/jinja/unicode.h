// Python's text operations on UTF-8: what counts as a character and as white space there does so here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ladimo::jinja {

/// Bytes of the character at `text[at]`. Precondition: `text` is UTF-8, and a character begins there.
std::size_t character_bytes(std::string_view text, std::size_t at);
/// The code point of the first character. Precondition: `text` is UTF-8 and not empty.
char32_t first_character(std::string_view text);
/// Number of characters.
std::int64_t length(std::string_view text);
/// The characters one by one.
std::vector<std::string_view> characters(std::string_view text);
void append_character(std::string& text, char32_t character);

/// White space of str.strip() and of \s.
bool is_space(char32_t character);
/// `text` without what stands at its ends and is in `set`, or white space when `set` is null.
std::string_view strip(std::string_view text, const std::string* set, bool left, bool right);
/// Whether all of `text` is white space. True for an empty text.
bool is_blank(std::string_view text);

/// Letters changed to large or small ones. Throws Failure, which names the `filter`, when the text has
/// letters beyond ASCII.
std::string upper(std::string_view text, const char* filter);
std::string lower(std::string_view text, const char* filter);
/// The first letter large, the others small.
std::string capitalize(std::string_view text, const char* filter);
/// The first letter of every word large, the others small.
std::string title(std::string_view text, const char* filter);

}  // namespace ladimo::jinja
