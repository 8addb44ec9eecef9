#include "run/model_check.h"

#include <iterator>
#include <optional>

#include <fmt/format.h>

namespace ladimo {
namespace fs = std::filesystem;
namespace {

void refuse_foreign_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config,
                              const ModelFiles& files) {
  if (tokenizer.size() > config.vocab_size)
    throw Refusal(fmt::format("The tokenizer has {} pieces, but the embedding has only {} rows.",
                              tokenizer.size(), config.vocab_size),
                  "Use the tokenizer that belongs to this checkpoint.", files.source());
}

}  // namespace

ModelTokens model_tokens(const ModelConfig& config) { return {config.vocab_size, config.bos, config.eos}; }

CheckedModel check_model(const fs::path& path) {
  CheckedModel model;
  model.found = Checkpoint::examine(path);
  model.problems = model.found.problems;
  model.warnings = model.found.warnings;
  if (model.found.opened) {
    model.constant_ffns = find_constant_ffns(*model.found.opened);
    if (auto warning = constant_ffn_warning(model.constant_ffns, path))
      model.warnings.push_back(std::move(*warning));
    if (!model.found.opened->native() && std::ssize(model.constant_ffns) == model.found.config.layers)
      model.problems.push_back(
          {"There is nothing to convert: the FFN of every layer gives the same output for every input.",
           "Download the checkpoint again: its weights are zero.", path});
  }
  const auto& files = model.found.files;
  if (!files || !files->has("config.json")) return model;
  ModelConfig& config = model.found.config;
  try {
    auto tokenizer =
        load_tokenizer(*files, model.found.opened ? std::optional(model_tokens(config)) : std::nullopt);
    if (config.vocab_size > 0) refuse_foreign_tokenizer(*tokenizer, config, *files);
    const auto warnings = tokenizer->warnings();
    model.warnings.insert(model.warnings.end(), warnings.begin(), warnings.end());
    config.bos = tokenizer->bos();
    model.tokenizer = std::move(tokenizer);
  } catch (const Error& error) {
    model.problems.push_back(error.problem());
  }
  return model;
}

void refuse_converted(const Checkpoint& checkpoint) {
  if (!checkpoint.native()) return;
  throw Refusal("This model is already converted: the folder was written by an export.",
                fmt::format("Convert its original model: {}.", checkpoint.native()->origin.string()),
                checkpoint.path());
}

}  // namespace ladimo
