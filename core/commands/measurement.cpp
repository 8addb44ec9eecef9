#include "commands/measurement.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json_fields.h"
#include "base/machine.h"
#include "evaluate/evaluation.h"
#include "evaluate/tasks.h"
#include "run/measurement.h"
#include "run/memory_use.h"
#include "run/plan.h"
#include "run/run_text.h"
#include "run/step.h"

namespace ladimo {
namespace {

/// Whether there is a converted model and its dense original to compare it with.
bool compares(const OpenedModel& opened) { return opened.is_converted() && opened.has_dense(); }

/// The windows to score, and the files that their source indices refer to.
struct Material {
  std::vector<std::filesystem::path> files;
  Windows windows;
};

Material named_text(const LoadedModel& model, const EvaluationText& text) {
  const auto& opened = model.opened();
  const auto positions = model.config().max_positions;
  auto window = text.window;
  if (window == 0) window = opened.run ? opened.run->recipe().window : default_window(positions);
  if (window < 2 || window > positions)
    throw Refusal(fmt::format("A window of {} tokens does not fit this model.", window),
                  fmt::format("Use 2 to {}.", positions), opened.checkpoint.folder());
  return {text.files, evaluation_windows(text.files, model.tokenizer(), window, text.tokens)};
}

/// The windows that the conversion held out and did not use for its tables.
Material checking_split(const LoadedModel& model, const EvaluationText& text) {
  const auto& run = model.opened().run;
  if (!run)
    throw Refusal("There is no text to measure on.", "Name text files with {text}.",
                  model.opened().checkpoint.folder());
  const Recipe recipe = run->recipe();
  if (text.window != 0 && text.window != recipe.window)
    throw Refusal(fmt::format("The run's own held-out text has windows of {} tokens, not {}.", recipe.window,
                              text.window),
                  "Leave {window} out, or name text files with {text}.", run->path());
  auto windows = held_out_text(*run, recipe, model.tokenizer()).checking;
  const auto wanted = text.tokens == 0 ? windows.count() : text.tokens / windows.window;
  if (wanted < 1 || wanted > windows.count())
    throw Refusal(fmt::format("{} tokens were asked for, but the run's own held-out text has {}.",
                              text.tokens, windows.count() * windows.window),
                  fmt::format("Ask for {} or more, but for no more than there are.", windows.window),
                  run->path());
  return {held_out_files(*run, recipe), some_windows(windows, wanted)};
}

Measurement measurement_of(const TextEvaluation& found, const Policy& policy, const PolicyNumbers& numbers,
                           const EvaluationText& text, at::Device device) {
  const TextScores& scores = found.scores;
  return {now_iso(),
          device.is_cpu() ? processor_name() : device.str(),
          found.split,
          text.files,
          found.calibrated_on,
          scores.tokens,
          found.window,
          policy,
          numbers,
          scores.dense_perplexity,
          scores.same_top,
          scores.same_top_se,
          scores.kl_percentiles};
}

/// Limits the memory for streams. Those that do not fit go to the run's folder or the system's temporary
/// folder.
Context within_memory(const LoadedModel& model, const Windows& windows, const Context& context) {
  const auto use = evaluation_memory(model.config(), windows.window, windows.count() * windows.window,
                                     at::get_num_threads());
  const auto budget = stream_budget({use}, model.runtime().memory.value_or(usual_memory()));
  const auto& run = model.opened().run;
  return context.within(MemoryBudget(budget, run ? run->path() : std::filesystem::temp_directory_path()));
}

/// The files that the run was calibrated on. Warns about each, because a model looks better than it is on
/// text that it was fitted to.
std::vector<std::filesystem::path> calibrated_on(const OpenedModel& opened, const EvaluationText& text,
                                                 const Context& context) {
  std::vector<std::filesystem::path> files;
  if (!opened.run) return files;
  const auto calibrated = opened.run->recipe().text_fingerprints;
  for (const auto& file : text.files) {
    if (std::ranges::find(calibrated, hash_of_file(file)) == calibrated.end()) continue;
    context.warn(
        fmt::format("The run was calibrated on {}: what is measured on it looks too good.", file.string()),
        "Name text that the run has not seen.");
    files.push_back(file);
  }
  return files;
}

/// Refuses scores that are NaN or infinite, which only damaged weights give.
void require_numbers(const TextScores& scores, const std::filesystem::path& model) {
  if (std::isfinite(scores.perplexity) &&
      (!scores.compares || (std::isfinite(scores.dense_perplexity) && std::isfinite(scores.kl))))
    return;
  throw Refusal("The predictions of the model are not numbers: its weights are damaged.",
                "Fetch the model again, or convert it again.", model);
}

TextEvaluation evaluate_text(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                             const Context& context) {
  const auto& opened = model.opened();
  const auto [files, windows] = text.files.empty() ? checking_split(model, text) : named_text(model, text);
  context.emit(begin_step(Step::evaluation, 0, 1));
  TextEvaluation found;
  found.calibrated_on = calibrated_on(opened, text, context);
  const auto& [source, layers] = model.exact();
  const auto scores = score(source, layers, windows, {policy.layers}, within_memory(model, windows, context));
  const auto scores_of = [&](std::optional<std::int32_t> file) {
    auto summary = summarise(scores, 0, file);
    summary.compares = compares(opened);
    return summary;
  };

  found.scores = scores_of({});
  require_numbers(found.scores, opened.run ? opened.run->path() : opened.checkpoint.folder());
  const auto numbers = measured_numbers(found.scores, scores.policies[0], source.config());
  found.activated_parameters = numbers.activated_parameters;
  found.activated_fraction = numbers.activated_fraction;
  found.ffn_activated = numbers.ffn_activated;
  found.split = text.files.empty() ? EvaluatedText::checking : EvaluatedText::named;
  found.window = windows.window;
  found.mean_experts = scores.policies[0].mean_experts;
  for (std::size_t i = 0; i < files.size(); ++i)
    found.domains.push_back({files[i], scores_of(static_cast<std::int32_t>(i))});
  if (opened.run) {
    const auto measurement = measurement_of(found, policy, numbers, text, source.device());
    append_measurement(*opened.run, measurement, context);
    context.emit(measure_event(measurement));
  }
  return found;
}

std::vector<TaskResult> answer_tasks(const LoadedModel& model, const Policy& policy,
                                     const std::vector<Task>& tasks, const Context& context) {
  const auto& [source, layers] = model.exact();
  std::vector<TaskResult> answers;
  for (const Task& task : tasks) {
    context.emit(begin_step(Step::task, static_cast<int>(answers.size()), static_cast<int>(tasks.size()),
                            fmt::format(" {}", task.name)));
    answers.push_back(answer(source, layers, policy.layers, model.tokenizer(), task, context));
    if (!compares(model.opened())) answers.back().dense.reset();
  }
  return answers;
}

}  // namespace

Evaluation evaluate(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                    const Context& context) {
  std::vector<Task> tasks;
  for (const auto& file : text.tasks) {
    tasks.push_back(read_task(file));
    naming_file(file, [&] { check_lengths(tasks.back(), model.tokenizer(), model.config().max_positions); });
  }
  Evaluation evaluation;
  if (!text.files.empty() || model.opened().run || tasks.empty())
    evaluation.text = evaluate_text(model, policy, text, context);
  evaluation.tasks = answer_tasks(model, policy, tasks, context);
  return evaluation;
}

}  // namespace ladimo
