#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "commands/measurement.h"
#include "commands/runtime.h"
#include "model_options.h"
#include "run/task_words.h"

namespace ladimo::cli {
namespace {

void print_scores(const std::string& label, const TextScores& scores) {
  if (!scores.compares) {
    fmt::print("{}: nll {} nats/token · perplexity {} · {} tokens\n", label, format_number(scores.nll),
               format_number(scores.perplexity), scores.tokens);
    return;
  }
  fmt::print(
      "{}: KL {}{} nats/token · perplexity {} -> {} ({:+.1f} %) · same top token {:.1f} ± {:.1f} % · {} "
      "tokens\n",
      label, format_number(scores.kl), scores.kl_se > 0 ? " ± " + format_number(scores.kl_se) : "",
      format_number(scores.dense_perplexity), format_number(scores.perplexity),
      100 * (scores.perplexity / scores.dense_perplexity - 1), 100 * scores.same_top,
      100 * scores.same_top_se, scores.tokens);
}

void print_task(const TaskResult& task) {
  for (const TaskScore& score : task_scores(task)) {
    fmt::print("{} · {} question{}\n", sentence(score), score.n, score.n == 1 ? "" : "s");
  }
}

void print_text(const TextEvaluation& text) {
  if (text.domains.size() > 1)
    for (const auto& domain : text.domains) print_scores(domain.text.string(), domain.scores);
  print_scores("measured", text.scores);
  if (text.scores.compares) {
    const auto& kl = text.scores.kl_percentiles;
    fmt::print("KL per token: median {} · 95 % below {} · 99 % below {} · max {}\n", format_number(kl[0]),
               format_number(kl[1]), format_number(kl[2]), format_number(kl[3]));
  }
  fmt::print("activated {:.1f} % of all parameters, {:.1f} % of the FFNs' (counted from what ran)\n",
             100 * text.activated_fraction, 100 * text.ffn_activated);
}

}  // namespace

Command add_eval(CLI::App& app) {
  struct Options {
    ModelOptions model;
    EvaluationText text;
  };
  auto options = std::make_shared<Options>();
  add_model(app, options->model);
  add_run_text(app, options->model);
  auto* text = app.add_option("--text", options->text.files,
                              "Text files (.txt, .jsonl) (the run's second held-out split)")
                   ->type_name("FILE");
  app.add_option("--tokens", options->text.tokens,
                 "Tokens over all files (as many as the smallest file has)");
  auto* tasks = app.add_option("--tasks", options->text.tasks,
                               "Multiple choice: JSONL files of {\"context\", \"choices\", \"label\"}")
                    ->type_name("FILE");
  app.add_flag("--tasks-only", options->text.tasks_only, "Run only the tasks, without measuring text")
      ->needs(tasks)
      ->excludes(text);
  app.add_option("--window", options->text.window, "Tokens per window (the run's)");
  return [options](const Session& session) {
    const auto runtime = start_runtime(session.common.threads, session.common.device, session.common.memory);
    const LoadedModel model(open_model(options->model), runtime);
    const auto evaluation =
        evaluate(model, model.opened().policy(options->model.policy), options->text, session.context);
    session.output.result(to_json(evaluation), [&] {
      if (evaluation.text) print_text(*evaluation.text);
      for (const TaskResult& task : evaluation.tasks) print_task(task);
    });
    return 0;
  };
}

}  // namespace ladimo::cli
