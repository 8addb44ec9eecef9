#include "text/file_tokenizer.h"

#include <fmt/format.h>

namespace ladimo {

std::string FileTokenizer::spelling(std::int32_t id) const {
  const auto added = added_token(id);
  return added.empty() ? piece(id) : added;
}

std::string FileTokenizer::added_token(std::int32_t id) const {
  const auto found = added_.find(id);
  return found == added_.end() ? std::string() : found->second.content;
}

std::int32_t FileTokenizer::id_of(const std::string& spelling) const {
  for (const auto& [id, token] : added_)
    if (token.content == spelling) return id;
  return piece_spelled(spelling);
}

void FileTokenizer::add_to_hash(const std::vector<AddedToken>& added, Hasher& hasher) {
  for (const AddedToken& token : added)
    hasher.add(fmt::format("\nadded {} {} {}{}{}{}", token.id, token.content, token.special,
                           token.strips_left, token.strips_right, token.single_word));
}

}  // namespace ladimo
