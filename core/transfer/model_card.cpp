#include "transfer/model_card.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "base/shell_word.h"
#include "policy/perplexity_change.h"
#include "run/task_words.h"

namespace ladimo {
namespace {

std::string percent(double share) { return format_number(100 * share) + " %"; }

std::string row(const std::string& what, const PolicyNumbers& numbers, const std::string& perplexity) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", what, format_number(numbers.kl), perplexity,
                     percent(numbers.activated_fraction), percent(numbers.ffn_activated));
}

/// A prediction is for other text than measurements are, so it is told as a change alone.
std::string predicted_row(const PolicyNumbers& predicted, std::optional<double> predicted_ratio) {
  return row("predicted", predicted, predicted_ratio ? change_in_words(*predicted_ratio) : "-");
}

std::string measured_rows(const std::vector<Measurement>& measurements) {
  std::string rows;
  for (const Measurement& m : measurements) {
    if (!m.has_text()) continue;
    rows += row(
        fmt::format("measured {} on {} tokens of {}", m.date, m.tokens,
                    m.split == EvaluatedText::checking ? "the run's held-out text" : "other text"),
        m.numbers,
        fmt::format("{} → {} ({})", format_number(m.dense_perplexity), format_number(m.numbers.perplexity),
                    change_in_words(m.numbers.perplexity / m.dense_perplexity)));
  }
  return rows;
}

/// Words in a table: a bar would end the cell.
std::string cell(const std::string& words) {
  std::string escaped;
  for (const char c : words) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string task_rows(const std::vector<TaskResult>& tasks) {
  std::string rows;
  for (const TaskResult& task : tasks)
    for (const TaskScore& score : task_scores(task))
      rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", cell(score.task), score.n,
                          chosen_by(score), score.before ? share_text(score.before->dense) : "-",
                          share_text(score.model), difference_text(score), p_text(score), verdict(score));
  return rows;
}

/// The chapter on tasks; empty where none were answered.
std::string tasks_chapter(const std::vector<TaskResult>& tasks) {
  if (tasks.empty()) return {};
  std::string files, remarks;
  for (const TaskResult& task : tasks) {
    files += ' ' + shell_word(task.file.filename().string());
    if (const auto remark = seen_remark(task); !remark.empty()) remarks += '\n' + remark + '\n';
  }
  return fmt::format(
      "## Tasks\n\nMultiple-choice questions, answered before and after the conversion. The answer is the "
      "choice with the highest probability (acc in lm-eval), or the highest per character (acc_norm). "
      "Accuracy is shown with its standard error. The standard error of the difference is smaller, because "
      "both models answer the same questions. p is McNemar's exact test on the questions that only one model "
      "answers correctly; below 0.05 a difference counts as significant.\n\n| task | questions | chosen by | "
      "original, % | converted, % | difference, points | p | |\n|---|---|---|---|---|---|---|---|\n{}{}\n    "
      "ladimo eval RUN --policy policy.json --tasks-only --tasks{}\n\n",
      task_rows(tasks), remarks, files);
}

std::string how_to_load(bool native) {
  const char* code = native ? ", trust_remote_code=True" : "";
  return fmt::format(
      "{}\n\n"
      "    from transformers import AutoModelForCausalLM, AutoTokenizer\n"
      "    tokenizer = AutoTokenizer.from_pretrained(\"FOLDER\"{})\n"
      "    model = AutoModelForCausalLM.from_pretrained(\"FOLDER\"{})\n"
      "    print(tokenizer.decode(model.generate(**tokenizer(\"TEXT\", return_tensors=\"pt\"))[0]))\n\n",
      native ? "Open it with `ladimo generate FOLDER --prompt TEXT` or `ladimo-studio FOLDER`, or in Hugging "
               "Face "
               "transformers:"
             : "Open it in Hugging Face transformers:",
      code, code);
}

/// The table of distances. A fit is judged by what was measured after it, so nothing is predicted there.
std::string distances(const ExportReport& report, std::optional<double> predicted_ratio) {
  if (!report.fit)
    return "| | KL | perplexity, dense → converted | activated parameters | of the FFNs |\n"
           "|---|---|---|---|---|\n" +
           predicted_row(report.policy.predicted, predicted_ratio) + measured_rows(report.measurements);
  const FitPrice& fit = *report.fit;
  const auto line = [](const char* what, const FitPrice::Numbers& numbers, bool written) {
    return fmt::format("| {}{} | {} | {} |\n", what, written ? " (this folder)" : "",
                       format_number(numbers.kl), percent(numbers.activated_fraction));
  };
  return fmt::format(
             "Measured on {} tokens of the run's held-out text:\n\n"
             "| | KL | activated parameters |\n|---|---|---|\n",
             fit.tokens) +
         (fit.finished ? line("fitted and trained", *fit.finished, true) : std::string()) +
         line("fitted to the format", fit.fitted, fit.written == FitState::fitted) +
         line("without a fit", fit.as_it_is, fit.written == FitState::as_it_is) +
         line("the run under the requested policy", fit.wanted, false);
}

std::string policy_rows(const std::vector<LayerPolicy>& layers) {
  std::string rows;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const LayerPolicy& layer = layers[l];
    const auto experts = layer.kind == LayerPolicy::Kind::dense   ? "-"
                         : layer.kind == LayerPolicy::Kind::top_k ? std::to_string(layer.k)
                                                                  : format_number(layer.mean_experts);
    const auto used = [&](Product product) {
      return layer.cut(product).threshold > 0 ? percent(layer.cut(product).share) : std::string("-");
    };
    rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", l, to_string(layer.kind), experts,
                        used(Product::down), used(Product::gate_up), used(Product::qkv), used(Product::o));
  }
  return rows;
}

/// "of 18 of its 30 layers ", or nothing where all were converted.
std::string of_some_layers(const ExportReport& report) {
  const auto converted = report.recipe.layers.size(), all = report.policy.layers.size();
  return converted == all ? std::string() : fmt::format("of {} of its {} layers ", converted, all);
}

}  // namespace

std::string model_summary(const ExportReport& report) {
  const Recipe& recipe = report.recipe;
  const auto made = fmt::format("{} with {} experts in its feed-forward networks, converted by {}.",
                                recipe.model_name(), recipe.experts, report.program);
  const auto distance = [&](double kl, double share, const std::string& how) {
    return fmt::format("{} KL to the dense model {} nats per token, {} of its parameters active ({}).", made,
                       format_number(kl), percent(share), how);
  };
  if (report.fit) {
    const auto& numbers = report.fit->of_written();
    return distance(numbers.kl, numbers.activated_fraction,
                    fmt::format("measured on {} held-out tokens", report.fit->tokens));
  }
  const auto measured = std::ranges::find_if(report.measurements.rbegin(), report.measurements.rend(),
                                             [](const Measurement& m) { return m.has_text(); });
  if (measured == report.measurements.rend())
    return distance(report.policy.predicted.kl, report.policy.predicted.activated_fraction, "predicted");
  return distance(measured->numbers.kl, measured->numbers.activated_fraction,
                  fmt::format("measured on {} tokens", measured->tokens));
}

std::string model_card(const ExportReport& report, std::optional<double> predicted_ratio) {
  const Recipe& recipe = report.recipe;
  const Verification& check = report.verification;
  const bool experts = !recipe.layers.empty(), native = report.format == "native";
  const bool cuts = std::ranges::any_of(report.policy.layers, &LayerPolicy::cuts_inputs);
  const std::string what =
      experts
          ? fmt::format(
                "A dense language model whose feed-forward networks (FFNs) {}were distilled, layer by layer, "
                "into {} experts each, {} of them always on. Every token uses only the experts{} that the "
                "policy below chooses.",
                of_some_layers(report), recipe.experts, recipe.shared, cuts ? ", inputs and neurons" : "")
          : "A dense language model that skips small inputs and neurons of its layers, token by token, as "
            "the policy below says. No weight was changed.";
  return fmt::format(
      "# {}, converted by LaDiMo Studio\n\n{} {}## Distance from the original model\n\nKL is the mean "
      "KL(dense || converted) of the next-token distributions, in nats per token.\n\n{}\nVerified after "
      "writing: over {} tokens the logits differ from {} by at most {} (KL {}{}).\n\n{}## Policy\n\n| layer "
      "| policy | experts on per token{} | neurons | inputs of gate and up | of q, k, v | of o "
      "|\n|---|---|---|---|---|---|---|\n{}\nWhat runs above a threshold is predicted; - is all. Converted "
      "with {} calibration tokens, seed {}; `report.json` has the whole recipe.\n",
      recipe.model_name(), what, how_to_load(native), distances(report, predicted_ratio), check.tokens,
      native ? "the run's" : "those of the same layers in the run", format_number(check.max_logit_error),
      native ? "" : "against the run under the requested policy: ", format_number(check.kl_against_run),
      tasks_chapter(newest_tasks(report.measurements, report.policy.layers)),
      experts ? fmt::format(" (of {})", recipe.routed()) : std::string(), policy_rows(report.policy.layers),
      recipe.tokens, recipe.seed);
}

}  // namespace ladimo
