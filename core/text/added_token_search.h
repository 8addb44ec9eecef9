// Finds added tokens in text.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer_settings.h"

namespace ladimo {

/// A stretch of text: ordinary text, or one added token with the white space that it takes along.
struct TextPart {
  std::string_view text;
  std::optional<std::int32_t> added;  // id of the added token
};

class AddedTokenSearch {
 public:
  explicit AddedTokenSearch(std::vector<AddedToken> tokens);
  AddedTokenSearch(const AddedTokenSearch&) = delete;
  AddedTokenSearch& operator=(const AddedTokenSearch&) = delete;

  /// Cuts text at the added tokens: the leftmost first, and the longest of those that begin at one place. One
  /// that may not stand inside a word and does is ordinary text as a whole. Ordinary parts are not empty.
  std::vector<TextPart> split(std::string_view text) const;

 private:
  const AddedToken* token_at(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;
  std::unordered_map<std::string_view, const AddedToken*> by_content_;
  std::array<std::vector<std::size_t>, 256>
      sizes_;  // of the tokens that begin with a byte, the longest first
};

}  // namespace ladimo
