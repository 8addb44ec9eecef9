// What the chosen files give: tokens, splits, windows to look at.
#pragma once

#include <filesystem>
#include <vector>

#include "base/context.h"
#include "base/error.h"
#include "text/corpus.h"

namespace ladimo::ui {

struct TextFileFacts {
  std::int64_t tokens = 0;
  bool estimated = false;  // counted in the first megabytes only
};

struct TextFacts {
  std::vector<TextFileFacts> files;  // one per file, in the order of asking
  Split split;                       // empty where there is a problem
  std::vector<Problem> problems;
};

struct TextRequest {
  std::vector<std::filesystem::path> files;
  std::int64_t window = 0;
  SplitSize size;
  std::uint64_t seed = 0;
};

/// Counts every file and cuts the splits exactly as the conversion will. Throws Interrupted.
TextFacts read_text(const TextRequest& request, const Tokenizer& tokenizer, const Context& context);

/// The text of a window, token by token; together they are the whole text. At most `most` tokens.
std::vector<std::string> token_texts(const Windows& windows, std::int64_t index, const Tokenizer& tokenizer,
                                     std::size_t most);

}  // namespace ladimo::ui
