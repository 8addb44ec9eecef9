#include "model_options.h"

#include <CLI/CLI.hpp>

namespace ladimo::cli {

void add_model(CLI::App& app, ModelOptions& options) {
  add_model_argument(app, options.model, model_or_run);
  app.add_option("--policy", options.policy, "Policy file (RUN/policy.json)");
  add_dense(app, options.dense);
}

void add_hold(CLI::App& app, ModelOptions& options) {
  app.add_option("--hold", options.hold,
                 "Hold weights as q8_0: half the bytes of bf16, rounded to 8 bits (as in the checkpoint)");
}

Runtime start_holding_runtime(const Common& common, const ModelOptions& options) {
  Runtime runtime = start_runtime(common.threads, common.device, common.memory);
  runtime.holding = parse_holding(options.hold, runtime.device);
  return runtime;
}

void add_run_text(CLI::App& app, ModelOptions& options) {
  app.add_option("--run-text", options.run_text, "The text files of the run, if they were moved")
      ->type_name("FILE");
}

OpenedModel open_model(const ModelOptions& options) {
  auto opened = OpenedModel::open(options.model, options.dense);
  if (!options.run_text.empty() && !opened.run)
    throw Refusal("The text files of a run were given for a model that is not a run.", "Omit {run_text}.",
                  options.model);
  opened.run_text = options.run_text;
  return opened;
}

}  // namespace ladimo::cli
