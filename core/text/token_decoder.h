// The decoder of a tokenizer.json: the spellings of tokens to text.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fields.h"

namespace ladimo {

/// The steps in the order of the file: ByteLevel, ByteFallback, Fuse, Metaspace, Replace, Strip, Sequence.
/// Without steps, a space stands between two tokens.
class TokenDecoder {
 public:
  TokenDecoder() = default;
  /// Reads an object such as {"type": "ByteLevel"}. Throws Refusal that names a type that is not known.
  explicit TokenDecoder(const JsonFields& json);

  /// The text of tokens. Bytes that are no character become U+FFFD.
  std::string decode(std::vector<std::string> tokens) const;
  /// Whether a token is a byte of ByteFallback: a run of them is text where all of it is, else U+FFFD for
  /// each.
  bool is_byte(std::string_view token) const;

 private:
  using Step = std::function<void(std::vector<std::string>&)>;
  void add(const JsonFields& json);

  std::vector<Step> steps_;
  bool byte_fallback_ = false;
};

}  // namespace ladimo
