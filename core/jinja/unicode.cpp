#include "jinja/unicode.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "jinja/value.h"

namespace ladimo::jinja {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_large(char c) { return c >= 'A' && c <= 'Z'; }
char to_large(char c) { return is_small(c) ? static_cast<char>(c - 'a' + 'A') : c; }
char to_small(char c) { return is_large(c) ? static_cast<char>(c - 'A' + 'a') : c; }

void refuse_beyond_ascii(std::string_view text, const char* filter) {
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    throw Failure(fmt::format("`{}` of letters beyond ASCII is not supported", filter));
}

/// The end of the character that ends at `end`.
std::size_t character_before(std::string_view text, std::size_t end) {
  --end;
  while (end > 0 && continues(text[end])) --end;
  return end;
}

}  // namespace

std::size_t character_bytes(std::string_view text, std::size_t at) { return utf8_at(text, at).bytes; }

char32_t first_character(std::string_view text) { return utf8_at(text, 0).value; }

std::int64_t length(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return !continues(byte); });
}

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> all;
  for (std::size_t at = 0; at < text.size(); at += all.back().size())
    all.push_back(text.substr(at, character_bytes(text, at)));
  return all;
}

void append_character(std::string& text, char32_t c) { append_utf8(c, text); }

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::string_view strip(std::string_view text, const std::string* set, bool left, bool right) {
  const auto goes = [&](std::string_view character) {
    return set ? set->find(character) != set->npos : is_space(first_character(character));
  };
  while (left && !text.empty()) {
    const auto first = text.substr(0, character_bytes(text, 0));
    if (!goes(first)) break;
    text.remove_prefix(first.size());
  }
  while (right && !text.empty()) {
    const auto begin = character_before(text, text.size());
    if (!goes(text.substr(begin))) break;
    text = text.substr(0, begin);
  }
  return text;
}

bool is_blank(std::string_view text) { return strip(text, nullptr, true, false).empty(); }

std::string upper(std::string_view text, const char* filter) {
  refuse_beyond_ascii(text, filter);
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_large);
  return result;
}

std::string lower(std::string_view text, const char* filter) {
  refuse_beyond_ascii(text, filter);
  std::string result(text);
  std::ranges::transform(result, result.begin(), to_small);
  return result;
}

std::string capitalize(std::string_view text, const char* filter) {
  std::string result = lower(text, filter);
  if (!result.empty()) result[0] = to_large(result[0]);
  return result;
}

std::string title(std::string_view text, const char* filter) {
  std::string result = lower(text, filter);
  bool inside = false;
  for (char& c : result) {
    const bool letter = is_small(c);
    if (letter && !inside) c = to_large(c);
    inside = letter;
  }
  return result;
}

}  // namespace ladimo::jinja
