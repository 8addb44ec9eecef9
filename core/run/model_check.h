// The checks of a model folder that need no text. `inspect`, `plan` and the window make the same ones.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "text/tokenizer.h"

namespace ladimo {

struct CheckedModel {
  Examination found;                     // config and tensors
  std::unique_ptr<Tokenizer> tokenizer;  // null when it cannot be read or does not fit
  std::vector<Problem> problems;         // of config, tensors and tokenizer
};

/// Examines a model folder and loads its tokenizer. Never throws for bad input. Weights are not read: see
/// find_bad_weights().
CheckedModel check_model(const std::filesystem::path& folder);

/// Throws Refusal for a native model folder: only dense models are converted.
void refuse_converted(const Checkpoint& checkpoint);

}  // namespace ladimo
