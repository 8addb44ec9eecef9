// The parts of a tokenizer.json (Hugging Face tokenizers).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/json_fields.h"
#include "text/normalizer.h"
#include "text/pre_tokenizer.h"
#include "text/token_decoder.h"
#include "text/token_model.h"
#include "text/tokenizer_settings.h"

namespace ladimo {

struct TokenizerJson {
  std::vector<AddedToken> added;  // by id
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<TokenModel> model;  // BPE or Unigram
  TokenDecoder decoder;
  bool has_post_processor = false;
  std::optional<std::int32_t> begins_with;  // the token that the post_processor puts before a text
};

/// Reads the object of the file. Throws Refusal that names the key and what is not known here: other models,
/// other steps, a post_processor that begins texts with several tokens.
TokenizerJson read_tokenizer_json(const JsonFields& json);

}  // namespace ladimo
