// The checks of a model that need no text. `inspect`, `plan` and the window make the same ones.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/constant_ffn.h"
#include "text/tokenizer.h"

namespace ladimo {

/// What load_tokenizer() asks about a model.
ModelTokens model_tokens(const ModelConfig& config);

struct CheckedModel {
  Examination found;  // config and tensors; `config.bos` is that of the tokenizer when there is one
  std::unique_ptr<Tokenizer> tokenizer;    // null when it cannot be read or does not fit
  std::vector<Problem> problems;           // of config, tensors and tokenizer
  std::vector<Problem> warnings;           // what a user should know although the model can be used
  std::vector<ConstantFfn> constant_ffns;  // layers that stay dense
};

/// Examines a model folder or a GGUF file and loads its tokenizer. Never throws for bad input. Of the
/// weights little is read: see find_bad_weights().
CheckedModel check_model(const std::filesystem::path& path);

/// Throws Refusal for a native model folder: only dense models are converted.
void refuse_converted(const Checkpoint& checkpoint);

}  // namespace ladimo
