#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "engine/continuation.h"
#include "engine/runtime.h"

namespace ladimo::cli {

Command add_generate(CLI::App& app) {
  auto request = std::make_shared<GenerationRequest>();
  app.add_option("MODEL", request->model, "Run folder or dense model")->required();
  app.add_option("--policy", request->policy, "Policy file (RUN/policy.json)");
  app.add_option("--dense", request->dense, "The dense original, where it was moved");
  app.add_option("--prompt", request->prompt, "Text to continue")->required();
  app.add_option("--max-tokens", request->max_tokens, "At most so many tokens");
  app.add_option("--temperature", request->temperature, "0: always the most likely token");
  app.add_flag("--dense-only", request->dense_only, "The dense original of a run");
  return [request](const Session& session) {
    const auto runtime = start_runtime(session.common.threads, session.common.device);
    request->seed = session.common.seed.value_or(0);
    // A person watches the text grow; the whole of it is the result everywhere else.
    const bool stream = session.output.form() == Form::text;
    const auto json = continue_prompt(*request, runtime, session.context, [&](const std::string& piece) {
      if (!stream) return;
      fmt::print("{}", piece);
      std::fflush(stdout);
    });
    session.output.result(json, [] { fmt::print("\n"); });
    return 0;
  };
}

}  // namespace ladimo::cli
