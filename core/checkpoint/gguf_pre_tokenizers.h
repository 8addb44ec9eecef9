// The pre-tokenisers that GGUF files name, in the words of tokenizer.json.
#pragma once

#include <string_view>
#include <vector>

namespace ladimo {

/// How byte-level BPE cuts text before it merges.
struct GgufPreTokenizer {
  std::string_view name;  // tokenizer.ggml.pre
  std::vector<std::string_view> expressions =
      {};                     // regular expressions; each cuts what the ones before it left
  bool digits_alone = false;  // then every digit is a piece of its own
  bool gpt2 = false;          // then the expression of GPT-2 cuts
  bool composes = false;      // text is in Unicode's composed form (NFC) first
  bool whole_words = false;   // a word that is a token is not merged from its bytes (ignore_merges)
  bool adds_bos = false;      // where the file does not say whether texts begin with BOS
};

/// Null for a name that is not known.
const GgufPreTokenizer* find_pre_tokenizer(std::string_view name);

/// The first that cuts text exactly as `like` does, whose name and `adds_bos` are not looked at. Null where
/// none does.
const GgufPreTokenizer* find_pre_tokenizer_like(const GgufPreTokenizer& like);

}  // namespace ladimo
