#include "base/utf8.h"

namespace ladimo {
namespace {

/// The first and last byte that may follow a lead byte. Later ones are 0x80 to 0xBF.
struct SecondByte {
  unsigned first = 0x80, last = 0xBF;
};

SecondByte second_byte(unsigned lead) {
  switch (lead) {
    case 0xE0:
      return {0xA0, 0xBF};
    case 0xED:
      return {0x80, 0x9F};
    case 0xF0:
      return {0x90, 0xBF};
    case 0xF4:
      return {0x80, 0x8F};
    default:
      return {};
  }
}

}  // namespace

Utf8Character utf8_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[at + i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  constexpr char32_t replacement = 0xFFFD;
  const std::size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
  if (length == 0) return {replacement, 1, false};
  char32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto allowed = i == 1 ? second_byte(lead) : SecondByte{};
    if (at + i >= text.size() || byte(i) < allowed.first || byte(i) > allowed.last)
      return {replacement, i, false};
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  return {value, length, true};
}

void append_utf8(char32_t character, std::string& text) {
  const auto follow = [&](unsigned shift) {
    text += static_cast<char>(0x80u | (character >> shift & 0x3Fu));
  };
  if (character < 0x80) {
    text += static_cast<char>(character);
  } else if (character < 0x800) {
    text += static_cast<char>(0xC0u | character >> 6);
    follow(0);
  } else if (character < 0x10000) {
    text += static_cast<char>(0xE0u | character >> 12);
    follow(6);
    follow(0);
  } else {
    text += static_cast<char>(0xF0u | character >> 18);
    follow(12);
    follow(6);
    follow(0);
  }
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Character next = utf8_at(text, at);
    if (!next.valid) return at;
    at += next.bytes;
  }
  return std::nullopt;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (text.size() <= most) return std::string(text);
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0u) == 0x80u) --most;
  return std::string(text.substr(0, most)) + "...";
}

std::string with_replacements(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const Utf8Character next = utf8_at(bytes, at);
    text += next.valid ? bytes.substr(at, next.bytes) : std::string_view("\xEF\xBF\xBD");
    at += next.bytes;
  }
  return text;
}

bool is_white_space(char32_t character) {
  if (character < 0x80) return character == ' ' || (character >= '\t' && character <= '\r');
  return character == 0x85 || character == 0xA0 || character == 0x1680 ||
         (character >= 0x2000 && character <= 0x200A) || character == 0x2028 || character == 0x2029 ||
         character == 0x202F || character == 0x205F || character == 0x3000;
}

}  // namespace ladimo
