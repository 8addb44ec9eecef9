// The tokens in the metadata of a GGUF file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/gguf_metadata.h"

namespace ladimo {

/// What a token is (tokenizer.ggml.token_type). `added` stands in text under its own spelling.
enum class TokenKind { normal = 1, unknown, control, added, unused, byte };

struct GgufVocabulary {
  std::vector<std::string_view> tokens;  // by id; their spellings differ and none is empty
  std::vector<TokenKind> kinds;
  std::vector<float> scores;                           // empty where the file has none
  std::optional<std::int64_t> bos, eos, unknown, pad;  // ids of tokens

  /// Throws Refusal that names the key where lists do not fit each other, a token is there twice, or an id is
  /// that of no token.
  static GgufVocabulary read(const GgufMetadata& metadata);

  /// Adds what llama.cpp assumes of pieces where the file does not name the special tokens: the token of the
  /// kind `unknown`, else 0, and 1 and 2 as BOS and EOS. Throws Refusal that names the key where several
  /// tokens are unknown, or where a byte is not spelled as one, which no SentencePiece model may have.
  void complete_pieces(const GgufMetadata& metadata);

  /// The spelling of a special token.
  std::optional<std::string> spelling(const std::optional<std::int64_t>& id) const;
};

/// Whether llama.cpp takes a control token that is spelled so as the end of a text or a turn.
bool is_spelled_as_end(std::string_view token);

/// The control tokens whose spelling says that a text or a turn ends there, as llama.cpp takes them, because
/// files name only one or two of them by id. Empty where the lists of tokens do not fit each other.
std::vector<std::int64_t> tokens_spelled_as_ends(const GgufMetadata& metadata);

}  // namespace ladimo
