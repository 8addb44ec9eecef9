// The letters of a text: what stays the same when a text is copied, wrapped, encoded or composed anew.
#pragma once

#include <string>
#include <string_view>

namespace ladimo {

/// Appends the letters and digits of UTF-8 `text` to `letters`. White space, punctuation, symbols and bytes
/// that are no UTF-8 are left out, A to Z become small, and full-width forms become ASCII. So line ends,
/// wrapping, quotation marks and indentation do not matter. Letters with an accent are left out too, whether
/// they are one character or a letter and its mark, so that composed (NFC) and decomposed (NFD) text in
/// Latin, Greek, Cyrillic, Arabic, kana and Hangul give the same bytes.
void append_letters(std::string_view text, std::string& letters);

}  // namespace ladimo
