#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "commands/continuation.h"
#include "commands/runtime.h"
#include "model_options.h"

namespace ladimo::cli {

Command add_generate(CLI::App& app) {
  struct Options {
    ModelOptions model;
    std::string prompt;
    Sampling sampling;
    bool dense_only = false;
  };
  auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_hold(app, options->model);
  app.add_option("--prompt", options->prompt, "Text to continue")->required();
  app.add_option("--max-tokens", options->sampling.max_tokens, "Max tokens");
  app.add_option("--temperature", options->sampling.temperature, "0: always the most likely token");
  app.add_flag("--dense-only", options->dense_only, "Only the original model of a run");
  return [options](const Session& session) {
    require_valid(options->sampling);
    const auto runtime = start_holding_runtime(session.common, options->model);
    options->sampling.seed = session.common.seed.value_or(0);
    const LoadedModel model(OpenedModel::open(options->model.model, options->model.dense), runtime);
    const bool converted = model.opened().is_converted() && !options->dense_only;
    const auto policy =
        options->dense_only ? all_dense(model.config()) : model.opened().policy(options->model.policy).layers;
    // A person watches the text grow; in all other forms the result holds the whole text.
    const bool stream = session.output.form() == Form::text;
    const auto continuation = continue_prompt(model, policy, converted, options->prompt, options->sampling,
                                              session.context, [&](const std::string& piece) {
                                                if (!stream) return;
                                                fmt::print("{}", piece);
                                                std::fflush(stdout);
                                              });
    session.output.result(to_json(continuation), [] { fmt::print("\n"); });
    return 0;
  };
}

}  // namespace ladimo::cli
