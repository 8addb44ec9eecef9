// A tokenizer.model (SentencePiece) with the added tokens of the JSON files beside it.
#pragma once

#include <memory>
#include <optional>

#include "text/tokenizer.h"

namespace ladimo {

/// Loads tokenizer.model. Texts begin with its BOS token, as in transformers 5. They begin without one when
/// add_bos_token is false, when the tokenizer has none, or when config.json names none (null) and
/// add_bos_token does not ask for it. Throws Refusal when a file is broken.
std::unique_ptr<Tokenizer> load_sentencepiece(const ModelFiles& files,
                                              const std::optional<ModelTokens>& model);

}  // namespace ladimo
