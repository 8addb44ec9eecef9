// What the files of a model say about its tokens, and where they contradict each other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "text/tokenizer_settings.h"

namespace ladimo {

/// What config.json and generation_config.json say about tokens.
struct ModelTokens {
  std::int64_t count = 0;         // rows of the embedding
  std::int64_t bos = -1;          // -1: none
  std::vector<std::int64_t> eos;  // a text ends at any of them
};

/// Removes added tokens that the embedding has no row for, because the model could not read them. Adds a
/// warning that names the first.
void leave_out_unknown(std::vector<AddedToken>& added, std::int64_t rows, const std::filesystem::path& source,
                       std::vector<Problem>& warnings);

/// Adds a warning where the EOS token of the tokenizer (-1: none) is not among those of the model.
void compare_eos(std::int32_t eos, const ModelTokens& model, const std::filesystem::path& source,
                 std::vector<Problem>& warnings);

}  // namespace ladimo
