#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands.h"
#include "commands/conversion.h"
#include "commands/pace_measurement.h"
#include "commands/partition_sample.h"
#include "commands/runtime.h"
#include "model_options.h"
#include "run/model_check.h"
#include "run/plan.h"
#include "text/text_look.h"

namespace ladimo::cli {
namespace {

/// The options that `plan` and `convert` share.
std::shared_ptr<ConvertRequest> add_request(CLI::App& app) {
  auto request = std::make_shared<ConvertRequest>();
  add_model_argument(app, request->model,
                     "The dense checkpoint: a folder, a GGUF file or ORG/NAME of the Hub");
  app.add_option("-o,--output", request->run, "Run folder")->required();
  app.add_option("--text", request->text,
                 "Calibration text: files (.txt, .jsonl), or `self`: the model writes its own")
      ->type_name("FILE");
  app.add_option("--tokens", request->tokens, "Calibration tokens (100000)");
  app.add_option("--held-out-tokens", request->held_out_tokens,
                 "Held-out tokens, two splits of half each (24576)");
  app.add_option("--window", request->window, "Tokens per window (min(max positions, 2048))");
  app.add_option(
      "--experts", request->experts,
      "Equal slices of each FFN (64, fewer for small FFNs; with --for of 32 neurons or a multiple)");
  app.add_option("--shared", request->shared, "Slices that are always on (a quarter)");
  app.add_option("--layers", request->layers, "Layers to convert: all, none, or like 0-3,7");
  app.add_option("--for", request->target,
                 "Make a run that a format can express: glm4moe, granitemoeshared, mixtral or qwen2moe");
  app.add_option("--sensitivity", request->sensitivity, "auto, measured or estimated");
  app.add_option("--recipe", request->recipe,
                 "JSON file with settings, or the JSON itself; the options here win");
  return request;
}

/// Without `times` the plan's times are rough. They take seconds to measure.
Plan plan_for(ConvertRequest request, const Session& session, const Runtime& runtime, bool times = true) {
  request.seed = session.common.seed;
  request.memory = session.common.memory;
  request.threads = session.common.threads;
  const auto measured = [&](const ModelConfig& config) {
    return pace_of_machine(config, runtime, session.context);
  };
  return make_plan(request, session.context, times ? PaceOf(measured) : PaceOf());
}

/// The JSON of `--look`: null if the model is to write its own text or the settings do not fit the model.
nlohmann::json text_look(const Plan& plan, int looks, const Session& session) {
  const Recipe& recipe = plan.recipe;
  if (recipe.self_text() || recipe.window < 2 || plan.config.layers == 0) return {};
  const TextRequest request{recipe.text, recipe.window, recipe.splits(), recipe.seed, looks};
  return to_json(look_at_text(request, *load_tokenizer(model_files(recipe.model), model_tokens(plan.config)),
                              session.context));
}

void print_plan(const Plan& plan) {
  fmt::print("{} calibration tokens in {} windows · RAM {} · disk {} · about {}\n", plan.tokens, plan.windows,
             format_bytes(static_cast<double>(plan.ram_bytes)),
             format_bytes(static_cast<double>(plan.disk_bytes)), format_seconds(plan.seconds));
  for (const auto& step : plan.steps)
    fmt::print("  {} {} (about {})\n", step.done ? "done:" : "-", step.description,
               format_seconds(step.seconds));
}

void print_result(const ConversionResult& result) {
  if (!result.layers.empty())
    fmt::print("layer  loss before  loss after  (normalised squared error on held-back rows)\n");
  for (const LayerResult& layer : result.layers)
    fmt::print("{:>5}  {:>11}  {:>10}\n", layer.layer, format_number(layer.loss_before),
               format_number(layer.loss_after));
  fmt::print("Done in {}. Next: ladimo policy {} --activated 0.8\n", format_seconds(result.seconds),
             result.run.string());
}

}  // namespace

Command add_plan(CLI::App& app) {
  const auto request = add_request(app);
  const auto sample = std::make_shared<std::optional<int>>(), look = std::make_shared<std::optional<int>>();
  app.add_option("--sample", *sample, "Also draw the partition of this layer (the weights are not all read)");
  app.add_option("--look", *look,
                 "Also count the text and show its first N windows (the weights are not all read)");
  return [request, sample, look](const Session& session) {
    request->read_weights = !*sample && !*look;
    const auto runtime = start_runtime(session.common.threads, session.common.device, session.common.memory);
    const auto plan = plan_for(*request, session, runtime, /*times=*/!*sample && !*look);
    session.context.warn(plan.warnings);
    auto json = to_json(plan);
    if (*look) json["look"] = text_look(plan, **look, session);
    if (*sample && plan.problems.empty()) {
      const auto drawn = sample_partition(plan, **sample, runtime, session.context);
      session.output.event(drawn);
      json["sample"] = {{"layer", drawn.layer}, {"partition", drawn.partition}};
    }
    session.output.result(json, [&] {
      if (plan.problems.empty())
        print_plan(plan);
      else
        session.output.error(Refusal(plan.problems));
    });
    return plan.problems.empty() ? 0 : 2;
  };
}

Command add_convert(CLI::App& app) {
  const auto request = add_request(app);
  return [request](const Session& session) {
    const auto runtime = start_runtime(session.common.threads, session.common.device, session.common.memory);
    const auto plan = plan_for(*request, session, runtime);
    if (!plan.problems.empty()) throw Refusal(plan.problems);
    session.context.warn(plan.warnings);
    const auto result = convert(plan, runtime, session.context);
    session.output.result(to_json(result), [&] { print_result(result); });
    return 0;
  };
}

}  // namespace ladimo::cli
