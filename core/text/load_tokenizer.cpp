#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/path_problem.h"
#include "text/json_tokenizer.h"
#include "text/sentencepiece_tokenizer.h"
#include "text/tokenizer.h"

namespace ladimo {
namespace {

/// Whether a file is a tiktoken vocabulary: lines of a base64 word and its rank, counted from 0.
bool is_tiktoken(std::string_view bytes) {
  const auto line = bytes.substr(0, bytes.find('\n'));
  const auto space = line.find(' ');
  if (space == std::string_view::npos || space == 0 || space > 64) return false;
  const auto is_base64 = [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') ||
           (letter >= '0' && letter <= '9') || letter == '+' || letter == '/' || letter == '=';
  };
  return line.substr(space + 1) == "0" && std::ranges::all_of(line.substr(0, space), is_base64);
}

/// What stands in place of a SentencePiece model. Precondition: there is a tokenizer.model.
std::optional<Problem> foreign_pieces(const ModelFiles& files) {
  const auto file = files.path("tokenizer.model");
  const auto bytes = files.read("tokenizer.model");
  if (auto stand_in = stand_in_problem(file, bytes)) return stand_in;
  if (!is_tiktoken(bytes)) return std::nullopt;
  return Problem{fmt::format("{} is a tiktoken vocabulary (LLaMA 3's original format), which is not read.",
                             file.filename().string()),
                 "Download tokenizer.json from the checkpoint in the Hugging Face layout.", file};
}

std::unique_ptr<Tokenizer> load_pieces(const ModelFiles& files, const std::optional<ModelTokens>& model) {
  if (const auto foreign = foreign_pieces(files)) throw Refusal(*foreign);
  return load_sentencepiece(files, model);
}

}  // namespace

std::unique_ptr<Tokenizer> load_tokenizer(const ModelFiles& files, const std::optional<ModelTokens>& model) {
  const bool has_json = files.has("tokenizer.json"), has_pieces = files.has("tokenizer.model");
  if (!has_json && !has_pieces)
    throw Refusal("There is no tokenizer.json and no tokenizer.model in the folder.", "Download one of them.",
                  files.path("tokenizer.json"));
  if (!has_json) return load_pieces(files, model);
  try {
    return load_json_tokenizer(files, model);
  } catch (const Refusal& refusal) {
    if (!has_pieces || foreign_pieces(files)) throw;
    auto tokenizer = load_sentencepiece(files, model);
    tokenizer->warn({fmt::format("tokenizer.json cannot be used: {}", refusal.what()),
                     "tokenizer.model is used.", files.path("tokenizer.json")});
    return tokenizer;
  }
}

}  // namespace ladimo
