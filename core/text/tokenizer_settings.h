// What the JSON files beside tokenizer.model say: added tokens, BOS and EOS.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/model_files.h"

namespace ladimo {

/// A token that stands in text under its own spelling, beside the pieces of the tokenizer (AddedToken of
/// Hugging Face tokenizers).
struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool special = false;      // left out of shown text
  bool strips_left = false;  // takes the white space before it along
  bool strips_right = false;
  bool single_word = false;  // only where no letter or digit stands beside it
  bool normalized = false;   // found after the text is normalised (tokenizer.json only)
};

struct TokenizerSettings {
  std::vector<AddedToken> added;               // by id, one per id, none empty
  std::optional<bool> adds_bos;                // add_bos_token
  std::optional<std::string> bos, eos;         // spellings; an empty one says that there is none
  std::map<std::string, std::string> special;  // spellings by name: "bos_token", "pad_token"; none is empty
  bool prefix_every_part = false;  // `legacy`: text after an added token begins with a space again
  std::vector<Problem> warnings;   // where the files differ
};

/// Reads tokenizer_config.json, added_tokens.json and special_tokens_map.json of a model, as far as they
/// are there. As in transformers, `added_tokens_decoder` of tokenizer_config.json replaces
/// added_tokens.json; without it, the special tokens that special_tokens_map.json names replace those of
/// tokenizer_config.json. A token of added_tokens.json is special when special_tokens_map.json or
/// tokenizer_config.json names it as such, or when it is spelled <|...|>. Throws Refusal that names the file
/// and the key.
TokenizerSettings read_tokenizer_settings(const ModelFiles& files);

}  // namespace ladimo
