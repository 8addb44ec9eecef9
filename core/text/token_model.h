// The model of a tokenizer.json: pieces of text to tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_fields.h"

namespace ladimo {

/// Looks up text by views without copying it.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class Value>
using TextMap = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;

/// The spelling of every token, by id. An id that no token has is spelled with an empty text.
using Vocabulary = std::vector<std::string>;

class TokenModel {
 public:
  virtual ~TokenModel() = default;
  /// Appends the tokens of one piece, which is not empty. Thread-safe.
  virtual void encode(std::string_view piece, std::vector<std::int32_t>& ids) const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  virtual const char* kind() const = 0;  // as in Tokenizer::kind()
};

/// Byte pair encoding. With `byte_level`, the file spells tokens in the byte alphabet (byte_alphabet.h).
/// Throws Refusal that names the key.
std::unique_ptr<TokenModel> read_bpe(const JsonFields& json, bool byte_level);

/// The unigram language model of SentencePiece: the pieces with the largest sum of scores. Throws Refusal
/// that names the key.
std::unique_ptr<TokenModel> read_unigram(const JsonFields& json);

/// Ids of the 256 byte tokens <0x00> to <0xFF>; -1 for those that are absent.
std::vector<std::int32_t> byte_tokens(const TextMap<std::int32_t>& ids);

}  // namespace ladimo
