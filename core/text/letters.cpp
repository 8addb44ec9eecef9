#include "text/letters.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "base/utf8.h"

namespace ladimo {
namespace {

struct Range {
  char32_t first, last;
};

template <std::size_t N>
bool is_in(const Range (&ranges)[N], char32_t character) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return range.first <= character && character <= range.last; });
}

/// Marks that belong to the letter before them.
constexpr Range marks[] = {{0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05C7}, {0x064B, 0x065F},
                           {0x0670, 0x0670}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF},
                           {0x3099, 0x309A}, {0xFE20, 0xFE2F}};

/// Characters that are a letter and its mark in one, with some neighbours that do no harm.
constexpr Range accented[] = {
    {0x00C0, 0x024F}, {0x1E00, 0x1FFF},                                      // Latin, old Greek
    {0x0386, 0x0390}, {0x03AA, 0x03B0}, {0x03CA, 0x03CE}, {0x03D3, 0x03D4},  // Greek
    {0x0400, 0x0401}, {0x0403, 0x0403}, {0x0407, 0x0407}, {0x040C, 0x040E},  // Cyrillic
    {0x0419, 0x0419}, {0x0439, 0x0439}, {0x0450, 0x0451}, {0x0453, 0x0453},
    {0x0457, 0x0457}, {0x045C, 0x045E}, {0x0476, 0x0477}, {0x04C1, 0x04C2},
    {0x04D0, 0x04F9}, {0x0622, 0x0626}, {0x06C0, 0x06C2}, {0x06D3, 0x06D3}};  // Arabic

/// Punctuation, symbols, and characters that nobody sees.
constexpr Range silent[] = {{0x0080, 0x00BF},   {0x02B0, 0x02FF},   {0x2000, 0x2BFF}, {0x2E00, 0x2E7F},
                            {0x3000, 0x3004},   {0x3008, 0x303F},   {0xD800, 0xDFFF}, {0xE000, 0xFAFF},
                            {0xFE00, 0xFE1F},   {0xFE30, 0xFE6F},   {0xFEFF, 0xFEFF}, {0xFFE0, 0xFFFF},
                            {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF}};

/// Whether a kana is one with a mark, such as が, which is か and a mark.
bool is_voiced_kana(char32_t character) {
  if (character >= 0x30A0 && character <= 0x30FA) character -= 0x60;  // katakana as hiragana
  if (character >= 0x304B && character <= 0x3062) return character % 2 == 0;
  if (character >= 0x3064 && character <= 0x3069) return character % 2 == 1;
  if (character >= 0x306F && character <= 0x307D) return (character - 0x306F) % 3 != 0;
  return character == 0x3094;
}

void append_three_bytes(char32_t character, std::string& letters) {
  letters += static_cast<char>(0xE0u | character >> 12);
  letters += static_cast<char>(0x80u | (character >> 6 & 0x3Fu));
  letters += static_cast<char>(0x80u | (character & 0x3Fu));
}

/// Appends the two or three letters of a Hangul syllable.
void append_hangul(char32_t syllable, std::string& letters) {
  const char32_t index = syllable - 0xAC00;
  append_three_bytes(0x1100 + index / 588, letters);
  append_three_bytes(0x1161 + index % 588 / 28, letters);
  if (index % 28 != 0) append_three_bytes(0x11A7 + index % 28, letters);
}

}  // namespace

void append_letters(std::string_view text, std::string& letters) {
  constexpr std::size_t none = std::string::npos;
  std::size_t base = none;  // where the letter begins that a mark would belong to
  for (std::size_t length = 1; !text.empty(); text.remove_prefix(length)) {
    const Utf8Character next = utf8_at(text, 0);
    char32_t character = next.value;
    length = next.bytes;
    const bool wide = character >= 0xFF01 && character <= 0xFF5E;
    if (wide) character -= 0xFEE0;
    const std::size_t begin = letters.size();
    if (character < 0x80) {
      const auto letter = static_cast<char>(character);
      if (letter >= 'A' && letter <= 'Z')
        letters += static_cast<char>(letter - 'A' + 'a');
      else if ((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'))
        letters += letter;
    } else if (is_in(marks, character)) {
      if (base != none) letters.resize(base);
    } else if (character >= 0xAC00 && character <= 0xD7A3) {
      append_hangul(character, letters);
    } else if (!is_in(silent, character) && !is_in(accented, character) && !is_voiced_kana(character)) {
      letters += text.substr(0, length);
    }
    base = letters.size() > begin ? begin : none;
  }
}

}  // namespace ladimo
