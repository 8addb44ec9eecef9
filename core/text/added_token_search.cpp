#include "text/added_token_search.h"

#include <algorithm>
#include <cstddef>
#include <functional>

#include <unicode/uchar.h>

#include "base/utf8.h"

namespace ladimo {
namespace {

/// Whether a character belongs to a word (\w in Unicode's annex on regular expressions).
bool is_word(char32_t value) {
  const auto character = static_cast<UChar32>(value);
  return u_hasBinaryProperty(character, UCHAR_ALPHABETIC) ||
         u_hasBinaryProperty(character, UCHAR_JOIN_CONTROL) ||
         (U_GET_GC_MASK(character) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

/// Where the character begins that ends before `text[end]`. Precondition: end > 0.
std::size_t character_before(std::string_view text, std::size_t end) {
  std::size_t at = end - 1;
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) --at;
  return at;
}

bool is_inside_word(std::string_view text, std::size_t begin, std::size_t end) {
  return (begin > 0 && is_word(utf8_at(text, character_before(text, begin)).value)) ||
         (end < text.size() && is_word(utf8_at(text, end).value));
}

/// Bytes of the white space at the end of `text`.
std::size_t spaces_before(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const std::size_t at = character_before(text, end);
    if (!is_white_space(utf8_at(text, at).value)) break;
    end = at;
  }
  return text.size() - end;
}

/// Bytes of the white space at `text[begin]`.
std::size_t spaces_after(std::string_view text, std::size_t begin) {
  std::size_t at = begin;
  while (at < text.size() && is_white_space(utf8_at(text, at).value)) at += utf8_at(text, at).bytes;
  return at - begin;
}

}  // namespace

AddedTokenSearch::AddedTokenSearch(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  for (const AddedToken& token : tokens_) {
    by_content_.emplace(token.content, &token);
    sizes_[static_cast<unsigned char>(token.content.front())].push_back(token.content.size());
  }
  for (auto& sizes : sizes_) {
    std::ranges::sort(sizes, std::greater());
    const auto repeated = std::ranges::unique(sizes);
    sizes.erase(repeated.begin(), repeated.end());
  }
}

const AddedToken* AddedTokenSearch::token_at(std::string_view text, std::size_t at) const {
  for (const std::size_t size : sizes_[static_cast<unsigned char>(text[at])]) {
    if (size > text.size() - at) continue;
    if (const auto found = by_content_.find(text.substr(at, size)); found != by_content_.end())
      return found->second;
  }
  return nullptr;
}

std::vector<TextPart> AddedTokenSearch::split(std::string_view text) const {
  std::vector<TextPart> parts;
  std::size_t begin = 0;  // of the text that is in no part yet
  for (std::size_t at = 0; !tokens_.empty() && at < text.size();) {
    const AddedToken* token = token_at(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t from = at, to = at + token->content.size();
    if (token->single_word && is_inside_word(text, from, to)) {
      at = to;
      continue;
    }
    if (token->strips_left) from -= spaces_before(text.substr(begin, from - begin));
    if (token->strips_right) to += spaces_after(text, to);
    if (from > begin) parts.push_back({text.substr(begin, from - begin), {}});
    parts.push_back({text.substr(from, to - from), token->id});
    begin = at = to;
  }
  if (begin < text.size()) parts.push_back({text.substr(begin), {}});
  return parts;
}

}  // namespace ladimo
