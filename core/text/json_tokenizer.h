// A tokenizer.json with what tokenizer_config.json adds to it.
#pragma once

#include <memory>
#include <optional>

#include "text/tokenizer.h"

namespace ladimo {

/// Loads tokenizer.json (tokenizer_json.h). Gives the ids of Hugging Face tokenizers. Texts begin with the
/// token that the post_processor puts first, and without BOS where it puts none. add_bos_token of
/// tokenizer_config.json, where it is there, has the last word. Added tokens that only tokenizer_config.json
/// lists are read too. Throws Refusal when a file is broken or asks for what is not known here.
std::unique_ptr<Tokenizer> load_json_tokenizer(const ModelFiles& files,
                                               const std::optional<ModelTokens>& model);

}  // namespace ladimo
