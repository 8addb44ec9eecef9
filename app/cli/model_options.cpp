#include "model_options.h"

#include <CLI/CLI.hpp>

namespace ladimo::cli {

void add_model(CLI::App& app, ModelOptions& options) {
  app.add_option("MODEL", options.model, "Run folder, native folder or dense model")->required();
  app.add_option("--policy", options.policy, "Policy file (RUN/policy.json)");
  app.add_option("--dense", options.dense, "The dense original, where it was moved");
}

}  // namespace ladimo::cli
