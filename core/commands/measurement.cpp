#include "commands/measurement.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/machine.h"
#include "evaluate/evaluation.h"
#include "evaluate/tasks.h"
#include "run/run_text.h"

namespace ladimo {
namespace {

/// A dense model has nothing to be compared with: its own numbers move to nll and perplexity, the rest is
/// null.
void forget_comparison(nlohmann::json& json) {
  for (const char* key : {"dense_nll", "dense_perplexity", "kl", "kl_percentiles", "same_top", "same_top_se"})
    json[key] = nullptr;
}

/// Whether there is a dense original to compare with.
bool compares(const OpenedModel& opened) { return opened.is_converted() && opened.has_dense(); }

/// The windows to score, with the file that each source index means.
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

/// Held out by the conversion, and not what the tables were made from.
Material checking_split(const LoadedModel& model, const EvaluationText& text) {
  const auto& run = model.opened().run;
  if (!run)
    throw Refusal("There is no text to measure on.", "Name text files with --text.",
                  model.opened().checkpoint.folder());
  const Recipe recipe = run->recipe();
  if (text.window != 0 && text.window != recipe.window)
    throw Refusal(
        fmt::format("The run's checking split has windows of {} tokens, not {}.", recipe.window, text.window),
        "Leave --window out, or name text files with --text.", run->path());
  auto windows = held_out_text(*run, recipe, model.tokenizer()).checking;
  const auto wanted = text.tokens == 0 ? windows.count() : text.tokens / windows.window;
  if (wanted < 1 || wanted > windows.count())
    throw Refusal(fmt::format("{} tokens were asked for; the checking split has {}.", text.tokens,
                              windows.count() * windows.window),
                  fmt::format("Ask for {} or more, and no more than there are.", windows.window),
                  run->path());
  return {held_out_files(*run, recipe), some_windows(windows, wanted)};
}

nlohmann::json measurement_of(const nlohmann::json& result, const Policy& policy, PolicyNumbers numbers,
                              const EvaluationText& text, at::Device device) {
  auto files = nlohmann::json::array();
  for (const auto& file : text.files) files.push_back(file.string());
  nlohmann::json json{{"date", now_iso()},
                      {"machine", device.is_cpu() ? processor_name() : device.str()},
                      {"text", std::move(files)},
                      {"policy", to_json(policy)},
                      {"numbers", to_json(numbers)}};
  for (const char* key : {"split", "calibrated_on", "tokens", "window", "dense_perplexity", "same_top",
                          "same_top_se", "kl_percentiles"})
    json[key] = result[key];
  return json;
}

/// Those of the files that the run was calibrated on: what was fitted looks better than it is.
nlohmann::json calibrated_on(const OpenedModel& opened, const EvaluationText& text, const Context& context) {
  auto files = nlohmann::json::array();
  if (!opened.run) return files;
  const auto calibrated = opened.run->recipe().text_fingerprints;
  for (const auto& file : text.files) {
    if (std::ranges::find(calibrated, hash_of_file(file)) == calibrated.end()) continue;
    context.warn(fmt::format("{} was calibrated on: what is measured on it is too good.", file.string()),
                 "Name text that the run has not seen.");
    files.push_back(file.string());
  }
  return files;
}

/// The text's part of what is measured.
nlohmann::json evaluate_text(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                             const Context& context) {
  const auto& opened = model.opened();
  const auto [files, windows] = text.files.empty() ? checking_split(model, text) : named_text(model, text);
  context.emit(StepEvent{"evaluation", 0, 1});
  auto calibrated = calibrated_on(opened, text, context);
  const auto& [source, layers] = model.exact();
  const auto scores = score(source, layers, windows, {policy.layers}, context);

  const auto whole = summarise(scores, 0);
  const auto numbers = measured_numbers(whole, scores.policies[0], source.config());
  auto json = to_json(whole);
  json.update(nlohmann::json{{"activated_parameters", numbers.activated_parameters},
                             {"activated_fraction", numbers.activated_fraction},
                             {"ffn_activated", numbers.ffn_activated},
                             {"split", text.files.empty() ? "checking" : "text"},
                             {"calibrated_on", std::move(calibrated)},
                             {"window", windows.window},
                             {"mean_experts", scores.policies[0].mean_experts}});
  auto domains = nlohmann::json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto domain = to_json(summarise(scores, 0, static_cast<std::int32_t>(i)));
    domain["text"] = files[i].string();
    if (!compares(opened)) forget_comparison(domain);
    domains.push_back(std::move(domain));
  }
  json["domains"] = std::move(domains);
  if (!compares(opened)) forget_comparison(json);
  if (opened.run) {
    const auto measurement = measurement_of(json, policy, numbers, text, source.device());
    append_measurement(*opened.run, measurement, context);
    context.emit(MeasureEvent{measurement.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)});
  }
  return json;
}

/// The same keys where there is no text.
nlohmann::json without_text() {
  nlohmann::json json{
      {"tokens", 0}, {"calibrated_on", nlohmann::json::array()}, {"domains", nlohmann::json::array()}};
  for (const char* key : {"nll", "perplexity", "activated_parameters", "activated_fraction", "ffn_activated",
                          "split", "window", "mean_experts"})
    json[key] = nullptr;
  forget_comparison(json);
  return json;
}

nlohmann::json answer_tasks(const LoadedModel& model, const Policy& policy, const std::vector<Task>& tasks,
                            const Context& context) {
  const auto& [source, layers] = model.exact();
  auto answers = nlohmann::json::array();
  for (const Task& task : tasks) {
    const auto index = static_cast<int>(answers.size());
    context.emit(StepEvent{fmt::format("task {}", task.name), index, static_cast<int>(tasks.size())});
    const auto result = answer(source, layers, policy.layers, model.tokenizer(), task, context);
    answers.push_back(to_json(result, compares(model.opened())));
  }
  return answers;
}

}  // namespace

nlohmann::json evaluate(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                        const Context& context) {
  std::vector<Task> tasks;
  for (const auto& file : text.tasks) {
    tasks.push_back(read_task(file));
    check_lengths(tasks.back(), model.tokenizer(), model.config().max_positions);
  }
  const bool has_text = !text.files.empty() || model.opened().run || tasks.empty();
  auto json = has_text ? evaluate_text(model, policy, text, context) : without_text();
  json["tasks"] = answer_tasks(model, policy, tasks, context);
  return json;
}

}  // namespace ladimo
