// The tokenizer of a GGUF file as the files of a folder in the Hugging Face layout.
#pragma once

#include <map>
#include <string>

#include "checkpoint/gguf_metadata.h"

namespace ladimo {

/// tokenizer_config.json, and tokenizer.json (byte-level BPE, `gpt2`) or tokenizer.model (SentencePiece,
/// `llama`), with their contents. Throws Refusal for another kind of tokenizer, for a pre-tokeniser that is
/// not known, by its name, and for lists that do not fit each other.
std::map<std::string, std::string> gguf_tokenizer_files(const GgufMetadata& metadata);

}  // namespace ladimo
