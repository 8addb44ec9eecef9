// The parts of a tokenizer as llama.cpp needs them: the list of tokens, and what a tokenizer.json means
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "checkpoint/gguf_pre_tokenizers.h"
#include "checkpoint/gguf_vocabulary.h"

namespace ladimo {

/// The tokens of a GGUF file by id, one for each row of the embedding. They are `unused` until they are set.
class GgufTokens {
 public:
  explicit GgufTokens(std::size_t rows);

  void set(std::size_t id, std::string spelling, TokenKind kind, float score);
  /// A token that stands in text under its own spelling. It is a control token if it is `special` or looks so
  /// to llama.cpp's converter.
  void set_added(std::size_t id, const std::string& spelling, bool special);
  void set_score(std::size_t id, float score) { scores_[id] = score; }
  /// Names those that are not set [PADn].
  void name_unused();

  std::size_t size() const { return spellings_.size(); }
  const std::string& spelling(std::size_t id) const { return spellings_[id]; }
  TokenKind kind(std::size_t id) const { return static_cast<TokenKind>(kinds_[id]); }
  std::size_t count(TokenKind kind) const;
  std::optional<std::size_t> find(std::string_view spelling) const;
  std::optional<std::size_t> first(TokenKind kind) const;
  /// Two tokens with the same spelling.
  std::optional<std::pair<std::size_t, std::size_t>> repeat() const;

  const std::vector<std::string>& spellings() const { return spellings_; }
  const std::vector<std::int32_t>& kinds() const { return kinds_; }
  const std::vector<float>& scores() const { return scores_; }

 private:
  std::vector<std::string> spellings_;
  std::vector<std::int32_t> kinds_;
  std::vector<float> scores_;
};

/// Whether a piece is spelled as a byte: <0x0A>.
bool is_byte_piece(std::string_view spelling);

// The functions below take the object of a tokenizer.json that load_tokenizer() (text/tokenizer.h) has taken.

/// The pre-tokeniser of llama.cpp that cuts text as a byte-level tokenizer.json does. Null where there is
/// none.
const GgufPreTokenizer* gguf_pre_tokenizer_of(const nlohmann::json& tokenizer);

/// Whether a space is put before a text, in a tokenizer.json whose pieces are those of SentencePiece, with
/// spaces written as U+2581. Absent where text is normalised or cut in another way than SentencePiece's.
std::optional<bool> adds_space_before_text(const nlohmann::json& tokenizer, const GgufTokens& tokens);

/// Gives every token the place of its first merge in the list as its score, below 0, so that merging
/// neighbours by the score of what they become (SentencePiece, llama.cpp) does what merging them by the list
/// does (Hugging Face tokenizers). Returns what prevents that, as the end of a sentence; absent where it is
/// so.
std::optional<std::string> give_scores(const nlohmann::json& merges, GgufTokens& tokens);

}  // namespace ladimo
