#include <algorithm>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands.h"
#include "commands/export.h"
#include "commands/export_choices.h"
#include "model_options.h"
#include "policy/class_policies.h"

namespace ladimo::cli {
namespace {

void print_fit(const FitPrice& price) {
  const auto row = [](const char* what, const FitPrice::Numbers& numbers, bool written) {
    fmt::print("  {:<34} KL {:<9} {:.1f} % of the parameters{}\n", what, format_number(numbers.kl),
               100 * numbers.activated_fraction, written ? ", written" : "");
  };
  fmt::print("Measured on {} held-out tokens:\n", price.tokens);
  row("requested policy", price.wanted, false);
  row("closest policy, without a fit", price.as_it_is, price.written == FitState::as_it_is);
  row("closest policy, fitted", price.fitted, price.written == FitState::fitted);
  if (price.finished) row("fitted and trained", *price.finished, true);
}

void print_choice(const FormatChoice& choice) {
  std::string policy = "-", kl = "-", size = "-";
  if (choice.policy) {
    const auto& layers = choice.policy->layers;
    const auto routed = std::ranges::find(layers, LayerPolicy::Kind::top_k, &LayerPolicy::kind);
    policy = choice.name == "native" || routed == layers.end() ? std::string("current policy")
                                                               : k_in_words(layers);
    kl = format_number(choice.policy->predicted.kl);
  }
  if (choice.bytes) size = format_bytes(static_cast<double>(*choice.bytes));
  const char* yes = choice.impossible ? "never" : choice.objection ? "with a fit" : "yes";
  fmt::print("{:<18} {:<5} {:<12} {:<26} {:>9} {:>10}\n", choice.name, choice.gguf ? "yes" : "", yes, policy,
             kl, size);
  const auto& problem = choice.impossible ? choice.impossible : choice.objection;
  if (problem) fmt::print("  {}\n", problem->message);
}

int print_formats(const ExportRequest& request, const Session& session) {
  const auto opened = OpenedModel::open(open_run(request.run).path(), request.dense);
  const auto choices =
      export_choices(opened, opened.policy(request.policy), request.gguf.value_or(GgufPrecision::bf16));
  session.output.result(to_json(choices), [&] {
    fmt::print("{:<18} {:<5} {:<12} {:<26} {:>9} {:>10}\n", "format", "gguf", "as is", "closest policy", "KL",
               "size");
    for (const FormatChoice& choice : choices) print_choice(choice);
    fmt::print("KL is predicted, before a fit.\n");
  });
  return 0;
}

}  // namespace

Command add_export(CLI::App& app) {
  auto request = std::make_shared<ExportRequest>();
  app.add_option("RUN", request->run, "Run folder")->required();
  app.add_option("--policy", request->policy, "Policy file (RUN/policy.json)");
  app.add_option("--format", request->format, "native, glm4moe, granitemoeshared, mixtral or qwen2moe");
  app.add_option_function<std::string>(
      "--gguf",
      [request](const std::string& name) {
        request->gguf = gguf_precision_named(name);
        if (!request->gguf)
          throw CLI::ValidationError("--gguf", "\"" + name + "\" is not one of f32, f16, bf16 and q8_0");
      },
      "Write a GGUF file with matrices in f32, f16, bf16 or q8_0");
  app.add_flag("--fit", request->fit,
               "Fit the layers to what the format supports, and measure the accuracy lost");
  app.add_option("--finish", request->finish,
                 "Passes of training all layers over the calibration text after the fit (0)")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--run-text", request->run_text, "Current place of the run's text files, for a fit");
  const auto list = std::make_shared<bool>(false);
  auto* output = app.add_option("-o,--output", request->output, "New folder, or FILE.gguf");
  app.add_flag("--formats", *list, "List which formats support the policy, without writing anything")
      ->excludes(output);
  add_dense(app, request->dense);
  app.add_flag("--all-policies", request->all_policies,
               "Also keep the dense weights of converted layers, so that any policy can be used");
  app.add_option("--shard-bytes", request->shard_bytes, "Largest weight file in bytes (4 GiB)")
      ->check(CLI::PositiveNumber);
  return [request, list](const Session& session) {
    if (*list) return print_formats(*request, session);
    if (request->output.empty())
      throw Refusal("No output is given.", "Choose a new folder or FILE.gguf with {output}.");
    const auto runtime = start_runtime(session.common.threads, session.common.device, session.common.memory);
    const auto result = export_run(*request, runtime, session.context);
    session.output.result(to_json(result), [&] {
      fmt::print("{} files, {}, in {}\n", result.files.size(),
                 format_bytes(static_cast<double>(result.bytes)), result.path.string());
      if (result.fit) print_fit(*result.fit);
      fmt::print("Verified after writing: logits differ from {} by at most {} over {} tokens.\n",
                 result.format == "native" ? "the run's" : "those of the same layers in memory",
                 format_number(result.verification.max_logit_error), result.verification.tokens);
    });
    return 0;
  };
}

}  // namespace ladimo::cli
