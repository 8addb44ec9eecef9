// A preview of the chosen text before anything is converted: how many tokens every file has, and real
// windows.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "base/error.h"
#include "text/corpus.h"

namespace ladimo {

struct TextFileLook {
  std::int64_t tokens = 0;
  std::int64_t added_tokens = 0;  // those that stand beside the tokenizer's pieces, such as <|im_end|>
  bool estimated = false;         // extrapolated from the first megabytes
  std::int64_t taken = 0;         // tokens that the three splits take together
  bool conversations = false;     // it holds some, which the model's chat template made text of
};

/// A window, token by token. Joined, the texts are the whole text of these tokens.
struct WindowLook {
  std::vector<std::string> tokens;
  std::vector<int> special;  // positions of the added tokens, BOS and EOS, which show their spelling
  bool operator==(const WindowLook&) const = default;
};

struct TextLook {
  std::vector<TextFileLook> files;                         // one per file, in the order of the request
  std::int64_t calibration = 0, tables = 0, checking = 0;  // windows of each split; 0 when there is a problem
  std::vector<WindowLook> windows;                         // the first of the calibration windows
  std::vector<Problem> problems;
};

struct TextRequest {
  std::vector<std::filesystem::path> files;
  std::int64_t window = 0;
  SplitSize size;
  std::uint64_t seed = 0;
  int looks = 0;  // number of windows to show
};

/// Counts every file and cuts the splits exactly as the conversion will. Throws Interrupted.
TextLook look_at_text(const TextRequest& request, const Tokenizer& tokenizer, const Context& context);

nlohmann::json to_json(const TextLook& look);
/// Reads what to_json() writes. Throws Refusal that names the key.
TextLook text_look_from_json(const nlohmann::json& json);

}  // namespace ladimo
