#include "commands/measurement.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/chunking.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json_fields.h"
#include "base/machine.h"
#include "evaluate/choice_scores.h"
#include "evaluate/evaluation.h"
#include "run/measurement.h"
#include "run/memory_use.h"
#include "run/plan.h"
#include "run/run_text.h"
#include "run/seen_text.h"
#include "run/step.h"

namespace ladimo {
namespace {

/// Whether there is a converted model and its dense original to compare it with.
bool compares(const OpenedModel& opened) { return opened.is_converted() && opened.has_dense(); }

/// The windows to score, the files that their source indices refer to, and their text by file.
struct Material {
  std::vector<std::filesystem::path> files;
  MeasuredText text;
};

Material named_text(const LoadedModel& model, const EvaluationText& text) {
  const auto& opened = model.opened();
  const auto positions = model.config().max_positions;
  auto window = text.window;
  if (window == 0) window = opened.run ? opened.run->recipe().window : default_window(positions);
  if (window < 2 || window > positions)
    throw Refusal(fmt::format("A window of {} tokens does not fit this model.", window),
                  fmt::format("Use 2 to {}.", positions), opened.checkpoint.path());
  return {text.files, measured_text(text.files, model.tokenizer(), window, text.tokens)};
}

/// The windows that the conversion held out and did not use for its tables.
Material checking_split(const LoadedModel& model, const EvaluationText& text) {
  const auto& run = model.opened().run;
  if (!run)
    throw Refusal("There is no text to measure on.", "Choose text files with {text}.",
                  model.opened().checkpoint.path());
  const Recipe recipe = run->recipe();
  if (text.window != 0 && text.window != recipe.window)
    throw Refusal(fmt::format("The run's own held-out text has windows of {} tokens, not {}.", recipe.window,
                              text.window),
                  "Omit {window}, or choose text files with {text}.", run->path());
  const auto files = held_out_files(*run, recipe, model.opened().run_text);
  auto windows = held_out_text(files, recipe, model.tokenizer()).checking;
  const auto wanted = text.tokens == 0 ? windows.count() : text.tokens / windows.window;
  if (wanted < 1 || wanted > windows.count())
    throw Refusal(fmt::format("{} tokens were requested, but the run's held-out text has {}.", text.tokens,
                              windows.count() * windows.window),
                  fmt::format("Use {} or more, but not more than there are.", windows.window), run->path());
  Material material{files, {some_windows(windows, wanted), {}}};
  material.text.documents.resize(material.files.size());
  const auto texts = texts_of(material.text.windows, model.tokenizer());
  for (std::size_t i = 0; i < texts.size(); ++i)
    material.text.documents[static_cast<std::size_t>(material.text.windows.source[i])].push_back(texts[i]);
  return material;
}

Measurement measurement_of(const Evaluation& found, const Policy& policy, const EvaluationText& text,
                           at::Device device) {
  Measurement measurement;
  measurement.date = now_iso();
  measurement.machine = device.is_cpu() ? processor_name() : device.str();
  measurement.policy = policy;
  measurement.tasks = found.tasks;
  if (!found.text) return measurement;
  const TextScores& scores = found.text->scores;
  measurement.split = found.text->split;
  measurement.text = text.files;
  measurement.calibrated_on = found.text->calibrated_on;
  measurement.tokens = scores.tokens;
  measurement.window = found.text->window;
  measurement.numbers = {scores.kl,
                         scores.perplexity,
                         {},
                         {},
                         found.text->activated_parameters,
                         found.text->activated_fraction,
                         found.text->ffn_activated};
  measurement.dense_perplexity = scores.dense_perplexity;
  measurement.same_top = scores.same_top;
  measurement.same_top_se = scores.same_top_se;
  measurement.kl_percentiles = scores.kl_percentiles;
  return measurement;
}

/// Limits the memory for streams of windows of `window` tokens to what computing leaves. Those that do not
/// fit go to the run's folder or the system's temporary folder.
Context within_memory(const LoadedModel& model, std::int64_t window, const Context& context) {
  const auto use = evaluation_memory(model.config(), window, /*tokens=*/0, at::get_num_threads());
  const auto budget = stream_budget({use}, model.runtime().memory.value_or(usual_memory()));
  const auto& run = model.opened().run;
  return context.within(MemoryBudget(budget, run ? run->path() : std::filesystem::temp_directory_path()));
}

/// What a model is known to have seen of text, and how much of another text that is.
class Memory {
 public:
  Memory(const OpenedModel& opened, const Context& context) : context_(context) {
    if (!opened.is_converted()) return;
    if (opened.run) fingerprints_ = opened.run->recipe().text_fingerprints;
    try {
      seen_ = read_seen_text(opened.seen_text_file());
      if (seen_) return;
      context.warn(
          "Of the text that this model was made with, only a file that is the same byte for byte is "
          "recognised: an earlier version made it and kept no hashes.",
          opened.run ? "To add them, {continue_run}." : "To add them, {export_again}.");
    } catch (const Refusal& refusal) {
      context.warn(refusal.what(), refusal.hint());
    }
  }

  /// The shares of a file, of which `documents` are scored. Warns when they are notable.
  SeenShares of_file(const std::filesystem::path& file, const std::vector<std::string>& documents) const {
    SeenShares shares = of(documents);
    if (!shares.seen && std::ranges::find(fingerprints_, hash_of_file(file)) != fingerprints_.end())
      shares.seen = 1;
    warn_of_seen(file.string(), shares, context_);
    return shares;
  }

  /// The shares of the run's own held-out text: `seen` is what is among its calibration tokens as well.
  SeenShares of_held_out(const std::vector<std::string>& documents) const {
    SeenShares shares = of(documents);
    shares.seen = shares.calibrated;
    if (is_notable(shares.seen))
      context_.warn(
          fmt::format(
              "{} of the run's held-out text is also in its calibration text: results on it look too good.",
              share_in_words(*shares.seen)),
          "The run's text files repeat themselves. Choose other text with {text}.");
    return shares;
  }

  /// The shares of the questions of a task with their right answers.
  SeenShares of_task(const Task& task) const {
    std::vector<std::string> documents;
    for (const Question& question : task.questions)
      documents.push_back(question.context + ' ' + question.choices[question.label]);
    const SeenShares shares = of(documents);
    warn_of_seen(fmt::format("the questions of {}", task.name), shares, context_);
    return shares;
  }

 private:
  SeenShares of(const std::vector<std::string>& documents) const {
    return seen_ ? seen_->shares(documents) : SeenShares();
  }

  const Context& context_;
  std::vector<std::string> fingerprints_;
  std::optional<SeenText> seen_;
};

/// Refuses scores that are NaN or infinite, which only damaged weights give.
void require_numbers(const TextScores& scores, const std::filesystem::path& model) {
  if (std::isfinite(scores.perplexity) &&
      (!scores.compares || (std::isfinite(scores.dense_perplexity) && std::isfinite(scores.kl))))
    return;
  throw Refusal("The predictions of the model are not numbers: its weights are damaged.",
                "Download the model again, or convert it again.", model);
}

TextEvaluation evaluate_text(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                             const Memory& memory, const Context& context) {
  const auto& opened = model.opened();
  const auto [files, measured] = text.files.empty() ? checking_split(model, text) : named_text(model, text);
  const Windows& windows = measured.windows;
  context.emit(begin_step(Step::evaluation, 0, 1));
  TextEvaluation found;
  std::vector<SeenShares> seen_of_files;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& documents = measured.documents[i];
    const auto seen =
        text.files.empty() ? memory.of_held_out(documents) : memory.of_file(files[i], documents);
    found.domains.push_back({files[i], {}, seen});
    seen_of_files.push_back(seen);
    if (is_notable(seen.seen)) found.calibrated_on.push_back(files[i]);
  }
  found.seen = mean_of(seen_of_files);
  const auto& [source, layers] = model.exact();
  const std::vector<ModelPolicy> policies = {policy.layers};
  const auto scores = score(source, under_policies(source, layers, policies, SkippedExperts::left_out),
                            windows, within_memory(model, windows.window, context));
  const auto scores_of = [&](std::optional<std::int32_t> file) {
    auto summary = summarise(scores, 0, file);
    summary.compares = compares(opened);
    return summary;
  };

  found.scores = scores_of({});
  require_numbers(found.scores, opened.run ? opened.run->path() : opened.checkpoint.path());
  const auto numbers = measured_numbers(found.scores, scores.policies[0], source.config());
  found.activated_parameters = numbers.activated_parameters;
  found.activated_fraction = numbers.activated_fraction;
  found.ffn_activated = numbers.ffn_activated;
  found.split = text.files.empty() ? EvaluatedText::checking : EvaluatedText::named;
  found.window = windows.window;
  found.mean_experts = scores.policies[0].mean_experts;
  for (std::size_t i = 0; i < files.size(); ++i)
    found.domains[i].scores = scores_of(static_cast<std::int32_t>(i));
  return found;
}

/// Adds the answers to `answers`, one task after the other. `files` are where the tasks come from.
void answer_tasks(const LoadedModel& model, const Policy& policy, const std::vector<Task>& tasks,
                  const std::vector<std::filesystem::path>& files, const Memory& memory,
                  const Context& context, std::vector<TaskResult>& answers) {
  const auto& [source, layers] = model.exact();
  const std::vector<ModelPolicy> policies = {policy.layers};
  const Branches branches = under_policies(source, layers, policies, SkippedExperts::left_out);
  const auto limited = within_memory(model, chunk_rows(source.config().intermediate_size), context);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    context.emit(begin_step(Step::task, static_cast<int>(i), static_cast<int>(tasks.size()),
                            fmt::format(" {}", tasks[i].name)));
    TaskResult result = answer(source, branches, model.tokenizer(), tasks[i], limited);
    if (!compares(model.opened())) {
      result.dense.reset();
      result.paired.reset();
      result.paired_norm.reset();
    }
    result.seen = memory.of_task(tasks[i]);
    result.file = files[i];
    answers.push_back(std::move(result));
  }
}

}  // namespace

Evaluation evaluate(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                    const Context& context) {
  if (text.tasks_only && text.tasks.empty())
    throw Refusal("There is nothing to measure: no text and no task.", "Choose task files, or a text.");
  if (text.tasks_only && !text.files.empty())
    throw Refusal("Only tasks were requested, but text files were given.", "Remove one of them.");
  std::vector<Task> tasks;
  for (const auto& file : text.tasks) {
    tasks.push_back(read_task(file));
    naming_file(file, [&] { check_lengths(tasks.back(), model.tokenizer(), model.config().max_positions); });
  }
  const auto& run = model.opened().run;
  const Memory memory(model.opened(), context);
  Evaluation evaluation;
  if (!text.tasks_only && (!text.files.empty() || run || tasks.empty()))
    evaluation.text = evaluate_text(model, policy, text, memory, context);
  const auto keep = [&] {
    if (!run || (!evaluation.text && evaluation.tasks.empty())) return;
    const auto measurement = measurement_of(evaluation, policy, text, model.device());
    append_measurement(*run, measurement, context);
    context.emit(measure_event(measurement));
  };
  try {
    answer_tasks(model, policy, tasks, text.tasks, memory, context, evaluation.tasks);
  } catch (...) {
    keep();  // what was measured before it was stopped
    throw;
  }
  keep();
  return evaluation;
}

}  // namespace ladimo
