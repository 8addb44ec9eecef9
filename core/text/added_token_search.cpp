#include "text/added_token_search.h"

#include <algorithm>
#include <cstddef>

namespace ladimo {
namespace {

bool is_space(char byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

// Whether a byte belongs to a word. Bytes of other alphabets count as letters.
bool is_word(char byte) {
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || static_cast<unsigned char>(byte) >= 0x80;
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
    while (token->strips_left && from > begin && is_space(text[from - 1])) --from;
    while (token->strips_right && to < text.size() && is_space(text[to])) ++to;
    if (from > begin) parts.push_back({text.substr(begin, from - begin), {}});
    parts.push_back({text.substr(from, to - from), token->id});
    begin = at = to;
  }
  if (begin < text.size()) parts.push_back({text.substr(begin), {}});
  return parts;
}

}  // namespace ladimo
