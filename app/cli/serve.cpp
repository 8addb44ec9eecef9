#include <unistd.h>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands/serve.h"
#include "interrupt.h"
#include "model_options.h"

namespace ladimo::cli {

Command add_serve(CLI::App& app) {
  auto options = std::make_shared<ModelOptions>();
  add_model_argument(app, options->model, model_or_run);
  add_dense(app, options->dense);
  add_run_text(app, *options);
  add_hold(app, *options);
  return [options](const Session& session) {
    const auto runtime = start_holding_runtime(session.common, *options);
    const LoadedModel model(open_model(*options), runtime, /*keep=*/true);
    try {
      model.preload(session.context);
    } catch (const Interrupted&) {
      return 0;
    }
    serve(
        model, STDIN_FILENO, [&](const std::string& line) { session.output.line(line); }, stop_requested());
    return 0;
  };
}

}  // namespace ladimo::cli
