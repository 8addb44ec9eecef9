#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands/measurement.h"
#include "commands/runtime.h"
#include "model_options.h"

namespace ladimo::cli {
namespace {

void print_comparison(const std::string& label, const nlohmann::json& json) {
  const auto number = [&](const char* key) { return format_number(json[key].get<double>()); };
  if (json["kl"].is_null()) {
    fmt::print("{}: nll {} nats/token · perplexity {} · {} tokens\n", label, number("nll"),
               number("perplexity"), json["tokens"].get<std::int64_t>());
    return;
  }
  fmt::print(
      "{}: KL {} nats/token · perplexity {} -> {} ({:+.1f} %) · same top token {:.1f} ± {:.1f} % · {} "
      "tokens\n",
      label, number("kl"), number("dense_perplexity"), number("perplexity"),
      100 * (json["perplexity"].get<double>() / json["dense_perplexity"].get<double>() - 1),
      100 * json["same_top"].get<double>(), 100 * json["same_top_se"].get<double>(),
      json["tokens"].get<std::int64_t>());
}

void print_task(const nlohmann::json& task) {
  const auto percent = [&](const char* key) { return 100 * task[key].get<double>(); };
  const auto part = [&](const std::string& metric) {
    auto text = fmt::format("{} {:.1f} ± {:.1f} %", metric, percent(metric.c_str()),
                            percent((metric + "_se").c_str()));
    const auto dense = "dense_" + metric;
    if (!task[dense].is_null()) text += fmt::format(" (dense {:.1f} %)", percent(dense.c_str()));
    return text;
  };
  fmt::print("{}: {} · {} · {} questions\n", task["task"].get<std::string>(), part("acc"), part("acc_norm"),
             task["n"].get<std::int64_t>());
}

void print_text(const nlohmann::json& json) {
  if (json["domains"].size() > 1)
    for (const auto& domain : json["domains"]) print_comparison(domain["text"].get<std::string>(), domain);
  print_comparison("measured", json);
  if (const auto& kl = json["kl_percentiles"]; !kl.is_null()) {
    const auto at = [&](const char* percentile) { return format_number(kl[percentile].get<double>()); };
    fmt::print("KL of single tokens: median {} · 95 % below {} · 99 % below {} · at most {}\n", at("50"),
               at("95"), at("99"), at("100"));
  }
  fmt::print(
      "activated {:.1f} % of all parameters, {:.1f} % of the FFNs' (counted from the experts that ran)\n",
      100 * json["activated_fraction"].get<double>(), 100 * json["ffn_activated"].get<double>());
}

}  // namespace

Command add_eval(CLI::App& app) {
  struct Options {
    ModelOptions model;
    EvaluationText text;
  };
  auto options = std::make_shared<Options>();
  add_model(app, options->model);
  app.add_option("--text", options->text.files,
                 "Text files (.txt, .jsonl); none: the run's own checking split")
      ->type_name("FILE");
  app.add_option("--tokens", options->text.tokens,
                 "Tokens over all files (as many as the smallest file gives)");
  app.add_option("--tasks", options->text.tasks,
                 "Multiple choice: JSONL files of {\"context\", \"choices\", \"label\"}")
      ->type_name("FILE");
  app.add_option("--window", options->text.window, "Tokens per window (the run's)");
  return [options](const Session& session) {
    const auto runtime = start_runtime(session.common.threads, session.common.device);
    const LoadedModel model(OpenedModel::open(options->model.model, options->model.dense), runtime);
    const auto json =
        evaluate(model, model.opened().policy(options->model.policy), options->text, session.context);
    session.output.result(json, [&] {
      if (!json["nll"].is_null()) print_text(json);
      for (const auto& task : json["tasks"]) print_task(task);
    });
    return 0;
  };
}

}  // namespace ladimo::cli
