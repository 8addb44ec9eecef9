// The tokenizer and chat template of a model as tokenizer.* keys of a GGUF file.
#pragma once

#include "checkpoint/checkpoint.h"
#include "checkpoint/gguf_writer.h"

namespace ladimo {

/// Adds tokenizer.ggml.{model, pre, tokens, token_type, scores or merges, *_token_id, add_bos_token,
/// add_space_prefix} and tokenizer.chat_template.
/// - A GGUF file gives its tokenizer.* keys as they are.
/// - Byte-level BPE (tokenizer.json) becomes the model "gpt2", with `pre` by its pre-tokeniser
///   (checkpoint/gguf_pre_tokenizers.h).
/// - A tokenizer.model of BPE pieces becomes the model "llama". llama.cpp ignores remove_extra_whitespaces,
///   which is written all the same.
/// - A tokenizer.json that was made from such a model, with byte_fallback, becomes "llama" too. Scores are
///   the places of merges in their list. The merges must be those of SentencePiece: each way to put a token
///   together from two others, and those of one token beside each other.
/// There are as many tokens as the embedding has rows: `[PADn]` of the kind unused fill up. GGUF has no word
/// for added tokens that take white space along or stand only as single words (lstrip, rstrip, single_word).
/// Whether texts begin with BOS is written as this program decides it (load_tokenizer()). Texts end at the
/// tokenizer's EOS, and at the ends that the model names beside it (eot_token_id, eom_token_id), unless
/// llama.cpp knows them by their spelling. Throws Refusal with a sentence and a hint where llama.cpp has no
/// such tokenizer, and where a file is broken.
void add_gguf_tokenizer_keys(GgufKeys& keys, const Checkpoint& checkpoint);

}  // namespace ladimo
