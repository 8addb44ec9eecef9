#include "commands/serve_request.h"

#include <fmt/format.h>

#include "base/json_fields.h"
#include "commands/bench.h"
#include "commands/continuation.h"
#include "commands/measurement.h"
#include "run/measurement.h"
#include "run/saved_policy.h"

namespace ladimo {
namespace {

Policy policy_of(const LoadedModel& model, const JsonFields& fields) {
  return fields.has("policy") ? model.opened().policy_from(fields.at("policy")) : model.opened().policy();
}

std::uint64_t seed_of(const JsonFields& fields) {
  const auto seed = fields.has("seed") ? fields.integer("seed") : 0;
  if (seed < 0) fields.refuse("seed", "is negative");
  return static_cast<std::uint64_t>(seed);
}

/// The sides that were asked for ("dense", "converted"), or all that the model has.
std::vector<std::string> sides_of(const LoadedModel& model, const JsonFields& fields) {
  std::vector<std::string> there;
  if (model.opened().has_dense()) there.emplace_back("dense");
  if (model.opened().is_converted()) there.emplace_back("converted");
  if (!fields.has("sides")) return there;
  const auto asked = fields.texts("sides");
  for (const std::string& side : asked)
    if (std::find(there.begin(), there.end(), side) == there.end())
      fields.refuse("sides", fmt::format("names \"{}\", which this model does not have", side));
  return asked;
}

Continuations generate(const LoadedModel& model, const JsonFields& fields, const Context& context) {
  fields.only({"id", "request", "prompt", "max_tokens", "temperature", "seed", "sides", "policy"});
  const auto prompt = fields.text("prompt");
  Sampling sampling;
  if (fields.has("max_tokens")) sampling.max_tokens = fields.integer("max_tokens");
  if (fields.has("temperature")) sampling.temperature = fields.number("temperature");
  sampling.seed = seed_of(fields);
  Continuations result;
  for (const std::string& side : sides_of(model, fields)) {
    const bool converted = side == "converted";
    const auto policy = converted ? policy_of(model, fields).layers : all_dense(model.config());
    (converted ? result.converted : result.dense) =
        continue_prompt(model, policy, converted, prompt, sampling, context);
  }
  return result;
}

Evaluation evaluate(const LoadedModel& model, const JsonFields& fields, const Context& context) {
  fields.only({"id", "request", "text", "tokens", "window", "tasks", "tasks_only", "policy"});
  EvaluationText text;
  if (fields.has("text")) text.files = fields.paths("text");
  if (fields.has("tokens")) text.tokens = fields.integer("tokens");
  if (fields.has("window")) text.window = fields.integer("window");
  if (fields.has("tasks")) text.tasks = fields.paths("tasks");
  if (fields.has("tasks_only")) text.tasks_only = fields.flag("tasks_only");
  return evaluate(model, policy_of(model, fields), text, context);
}

BenchResult time_speed(const LoadedModel& model, const JsonFields& fields, const Context& context) {
  fields.only({"id", "request", "policy"});
  const Policy policy = policy_of(model, fields);
  const BenchResult result = bench(model, policy.layers, std::nullopt, context);
  // The run's predictions are for weights as they are stored.
  if (const auto& run = model.opened().run; run && model.runtime().holding == Holding::as_stored)
    keep_times(*run, policy, *result.decode.converted_ms(), *result.prefill.converted_ms(), context);
  return result;
}

SavedPolicy save_policy(const LoadedModel& model, const JsonFields& fields) {
  fields.only({"id", "request", "policy", "name", "expected"});
  const auto& run = model.opened().run;
  if (!run)
    throw Refusal("A policy can only be saved in a run, and this is a model.", "Write it to a file instead.",
                  model.opened().checkpoint.path());
  const auto policy = model.opened().policy_from(fields.at("policy"));
  std::optional<std::string> name;
  if (fields.has("name")) name = fields.text("name");
  std::optional<Expected> expected;
  if (fields.has("expected")) expected = expected_from_json(fields.at("expected"));
  return ladimo::save_policy(*run, policy, name, expected);
}

}  // namespace

nlohmann::json answer(const LoadedModel& model, const nlohmann::json& request, const Context& context) {
  const JsonFields fields(request, "request");
  const auto kind = fields.text("request");
  if (kind == "generate") return to_json(generate(model, fields, context));
  if (kind == "eval") return to_json(evaluate(model, fields, context));
  if (kind == "bench") return to_json(time_speed(model, fields, context));
  if (kind == "policy") return to_json(save_policy(model, fields));
  throw Refusal(fmt::format("\"{}\" is not a request.", kind),
                "Supported are generate, eval, bench, policy and cancel.");
}

}  // namespace ladimo
