#include "run/model_check.h"

#include <optional>

#include <fmt/format.h>

#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

void refuse_foreign_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, const fs::path& model) {
  if (tokenizer.size() > config.vocab_size)
    throw Refusal(fmt::format("The tokenizer has {} pieces, but the embedding has only {} rows.",
                              tokenizer.size(), config.vocab_size),
                  "Use the tokenizer that belongs to this checkpoint.", model / "tokenizer.model");
}

}  // namespace

CheckedModel check_model(const fs::path& folder) {
  CheckedModel model{Checkpoint::examine(folder), {}, {}};
  model.problems = model.found.problems;
  if (!has_entry(folder / "config.json")) return model;
  const ModelConfig& config = model.found.config;
  try {
    auto tokenizer = load_tokenizer(folder, model.found.opened ? std::optional(config.bos) : std::nullopt);
    if (config.vocab_size > 0) refuse_foreign_tokenizer(*tokenizer, config, folder);
    model.tokenizer = std::move(tokenizer);
  } catch (const Error& error) {
    model.problems.push_back(error.problem());
  }
  return model;
}

void refuse_converted(const Checkpoint& checkpoint) {
  if (!checkpoint.native()) return;
  throw Refusal("This model is already converted: the folder was written by an export.",
                fmt::format("Convert its dense original: {}.", checkpoint.native()->origin.string()),
                checkpoint.folder());
}

}  // namespace ladimo
