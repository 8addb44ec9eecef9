// The argument MODEL of every command, and the option that names a dense model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "checkpoint/hub_cache.h"
#include "commands.h"

namespace ladimo::cli {

/// Adds the argument MODEL: a path, or the name of a model in the cache of the Hugging Face Hub
/// (checkpoint/hub_cache.h). Parsing the command line throws Refusal when it is in neither. `model` must
/// outlive the parser.
void add_model_argument(CLI::App& app, std::filesystem::path& model, const std::string& description,
                        ModelUse use = ModelUse::whole);
/// What help says of MODEL where it may be a run too.
inline constexpr const char* model_or_run =
    "Run folder, native folder, dense model, GGUF file or ORG/NAME from the Hub";
/// Adds --dense, which names a model in the same ways.
void add_dense(CLI::App& app, std::optional<std::filesystem::path>& dense);

}  // namespace ladimo::cli
