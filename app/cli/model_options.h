// The options of every command that works with an opened model.
#pragma once

#include <filesystem>
#include <optional>

#include "commands.h"

namespace ladimo::cli {

struct ModelOptions {
  std::filesystem::path model;  // MODEL or RUN
  std::optional<std::filesystem::path> policy;
  std::optional<std::filesystem::path> dense;
};

/// Adds MODEL, --policy and --dense. `options` must outlive the parser.
void add_model(CLI::App& app, ModelOptions& options);

}  // namespace ladimo::cli
