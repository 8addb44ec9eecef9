// The options of every command that works with an opened model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "commands/opened_model.h"
#include "model_argument.h"

namespace ladimo::cli {

struct ModelOptions {
  std::filesystem::path model;  // MODEL or RUN
  std::optional<std::filesystem::path> policy;
  std::optional<std::filesystem::path> dense;
  std::vector<std::filesystem::path> run_text;
  std::string hold;
};

/// Adds --hold, for commands that hold the whole model in memory.
void add_hold(CLI::App& app, ModelOptions& options);
/// Starts the runtime of such a command.
Runtime start_holding_runtime(const Common& common, const ModelOptions& options);

/// Adds --run-text, which says where the text of the run is.
void add_run_text(CLI::App& app, ModelOptions& options);
/// Opens what MODEL, --dense and --run-text name.
OpenedModel open_model(const ModelOptions& options);
/// Adds MODEL, --policy and --dense. `options` must outlive the parser.
void add_model(CLI::App& app, ModelOptions& options);

}  // namespace ladimo::cli
