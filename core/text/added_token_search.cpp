#include "text/added_token_search.h"

#include <algorithm>
#include <cstddef>

#include "text/utf8.h"

namespace ladimo {
namespace {

// Whether a byte belongs to a word. Bytes of other alphabets count as letters.
bool is_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || static_cast<unsigned char>(byte) >= 0x80;
}

/// Bytes of the white space at the end of `text`.
std::size_t spaces_before(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t at = end - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) --at;
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
  std::ranges::stable_sort(
      tokens_, [](const AddedToken& a, const AddedToken& b) { return a.content.size() > b.content.size(); });
  for (const AddedToken& token : tokens_)
    by_first_byte_[static_cast<unsigned char>(token.content.front())].push_back(&token);
}

const AddedToken* AddedTokenSearch::token_at(std::string_view text, std::size_t at) const {
  for (const AddedToken* token : by_first_byte_[static_cast<unsigned char>(text[at])]) {
    if (!text.substr(at).starts_with(token->content)) continue;
    const auto end = at + token->content.size();
    const bool inside_word = (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    if (!token->single_word || !inside_word) return token;
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
