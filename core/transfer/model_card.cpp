#include "transfer/model_card.h"

#include <fmt/format.h>

#include "base/format.h"
#include "run/task_words.h"

namespace ladimo {
namespace {

std::string percent(double share) { return format_number(100 * share) + " %"; }

std::string row(const std::string& what, const PolicyNumbers& numbers) {
  return fmt::format("| {} | {} | {} | {} | {} |\n", what, format_number(numbers.kl),
                     format_number(numbers.perplexity), percent(numbers.activated_fraction),
                     percent(numbers.ffn_activated));
}

std::string measured_rows(const std::vector<Measurement>& measurements) {
  std::string rows;
  for (const Measurement& m : measurements) {
    if (!m.has_text()) continue;
    rows += row(fmt::format("measured {} on {} tokens of {}", m.date, m.tokens,
                            m.split == EvaluatedText::checking ? "the run's held-out text" : "other text"),
                m.numbers);
  }
  return rows;
}

std::string task_rows(const std::vector<TaskResult>& tasks) {
  std::string rows;
  for (const TaskResult& task : tasks)
    for (const TaskScore& score : task_scores(task))
      rows += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", score.task, score.n,
                          chosen_by(score), score.before ? share_text(score.before->dense) : "-",
                          share_text(score.model), difference_text(score), p_text(score), verdict(score));
  return rows;
}

/// The chapter on tasks; empty where none were answered.
std::string tasks_chapter(const std::vector<TaskResult>& tasks) {
  if (tasks.empty()) return {};
  std::string files, remarks;
  for (const TaskResult& task : tasks) {
    files += ' ' + task.file.filename().string();
    if (const auto remark = seen_remark(task); !remark.empty()) remarks += '\n' + remark + '\n';
  }
  return fmt::format(
      "## Tasks\n\n"
      "Multiple choice, answered before and after the conversion: the choice with the greatest probability "
      "(acc of "
      "lm-eval), or with the greatest per character (acc_norm). Accuracy with its standard error, and the "
      "difference "
      "with that of answers to the same questions, which is smaller. p is McNemar's exact test on the "
      "questions that "
      "only one of both models answers right; below 0.05 a difference counts as shown.\n\n"
      "| task | questions | chosen by | dense, % | converted, % | difference, points | p | |\n"
      "|---|---|---|---|---|---|---|---|\n{}{}\n"
      "    ladimo eval RUN --policy policy.json --tasks-only --tasks{}\n\n",
      task_rows(tasks), remarks, files);
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

}  // namespace

std::string model_card(const ExportReport& report) {
  const Recipe& recipe = report.recipe;
  const Verification& check = report.verification;
  return fmt::format(
      "# {0}, converted by LaDiMo Studio\n\n"
      "A dense language model whose feed-forward networks (FFNs) were distilled, layer by layer, into {1} "
      "experts "
      "each, {2} of them always on. Every token uses only the experts that the policy below chooses. Open it "
      "with "
      "`ladimo generate FOLDER --prompt TEXT` or `ladimo-studio FOLDER`.\n\n"
      "## Distance from the dense model\n\n"
      "KL is the mean KL(dense || converted) of the next-token distributions, in nats per token.\n\n"
      "| | KL | perplexity | activated parameters | of the FFNs |\n|---|---|---|---|---|\n{3}{4}\n"
      "When this folder was written it was read again: over {5} tokens its logits differ from the run's by "
      "at most "
      "{6} (KL {7}).\n\n{12}"
      "## Policy\n\n| layer | policy | experts on per token (of {8}) | neurons | inputs of gate and up | of "
      "q, k, v "
      "| of o |\n|---|---|---|---|---|---|---|\n{9}\n"
      "What runs above a threshold is predicted; - is all. Converted with {10} calibration tokens, seed "
      "{11}; "
      "`report.json` has the whole recipe.\n",
      recipe.model_name(), recipe.experts, recipe.shared, row("predicted", report.policy.predicted),
      measured_rows(report.measurements), check.tokens, format_number(check.max_logit_error),
      format_number(check.kl_against_run), recipe.routed(), policy_rows(report.policy.layers), recipe.tokens,
      recipe.seed, tasks_chapter(newest_tasks(report.measurements, report.policy.layers)));
}

}  // namespace ladimo
