// The options of every command that works with an opened model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "commands/opened_model.h"

namespace ladimo::cli {

struct ModelOptions {
  std::filesystem::path model;  // MODEL or RUN
  std::optional<std::filesystem::path> policy;
  std::optional<std::filesystem::path> dense;
  std::vector<std::filesystem::path> run_text;
};

/// Adds the argument MODEL: a path, or the name of a model in the cache of the Hugging Face Hub
/// (checkpoint/hub_cache.h). Parsing the command line throws Refusal when it is in neither. `model` must
/// outlive the parser.
void add_model_argument(CLI::App& app, std::filesystem::path& model, const std::string& description);
/// Adds --dense, which names a model in the same ways.
void add_dense(CLI::App& app, std::optional<std::filesystem::path>& dense);
/// Adds --run-text, which says where the text of the run is.
void add_run_text(CLI::App& app, ModelOptions& options);
/// Opens what MODEL, --dense and --run-text name.
OpenedModel open_model(const ModelOptions& options);
/// Adds MODEL, --policy and --dense. `options` must outlive the parser.
void add_model(CLI::App& app, ModelOptions& options);

}  // namespace ladimo::cli
