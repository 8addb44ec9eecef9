#include "model_argument.h"

#include <CLI/CLI.hpp>

#include "checkpoint/hub_cache.h"

namespace ladimo::cli {

void add_model_argument(CLI::App& app, std::filesystem::path& model, const std::string& description,
                        ModelUse use) {
  app.add_option_function<std::string>(
         "MODEL", [&model, use](const std::string& named) { model = find_model(named, use); }, description)
      ->required();
}

void add_dense(CLI::App& app, std::optional<std::filesystem::path>& dense) {
  app.add_option_function<std::string>(
      "--dense", [&dense](const std::string& named) { dense = find_model(named); },
      "The original model, if it was moved");
}

}  // namespace ladimo::cli
