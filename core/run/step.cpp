#include "run/step.h"

namespace ladimo {
namespace {

struct Words {
  Step step;
  const char* name;   // in JSON
  const char* title;  // for people
};

constexpr Words all_words[] = {
    {Step::calibration_text, "calibration text", "Calibration text"},
    {Step::layers, "layers", "Layers"},
    {Step::second_sweep, "second sweep", "Second sweep"},
    {Step::finish, "finish", "Finish"},
    {Step::routing_profile, "routing profile", "Routing profile"},
    {Step::sensitivity, "sensitivity", "Sensitivity"},
    {Step::latency, "latency", "Latency"},
    {Step::frontier, "frontier", "Frontier"},
    {Step::evaluation, "evaluation", "Evaluation"},
    {Step::task, "task", "Task"},
    {Step::bench, "bench", "Timing"},
    {Step::fit, "fit", "Fit to the format"},
    {Step::writing, "writing", "Writing the model"},
    {Step::reading_again, "reading again", "Verifying the model"},
    {Step::opponents, "opponents", "Opponents"},
    {Step::ours, "ladimo", "LaDiMo"},
    {Step::measuring, "measuring", "Measuring"},
};

/// The words of the step whose name `text` begins with, as whole words; null when there is none.
const Words* words_of(std::string_view text) {
  for (const Words& words : all_words) {
    const std::string_view name = words.name;
    if (!text.starts_with(name)) continue;
    const auto rest = text.substr(name.size());
    if (rest.empty() || rest.front() == ' ' || rest.front() == ',') return &words;
  }
  return nullptr;
}

}  // namespace

const char* name_of(Step step) { return all_words[static_cast<std::size_t>(step)].name; }

const char* title_of(Step step) { return all_words[static_cast<std::size_t>(step)].title; }

std::optional<Step> step_named(std::string_view name) {
  const Words* words = words_of(name);
  return words == nullptr ? std::nullopt : std::optional(words->step);
}

std::string step_in_words(std::string_view name) {
  const Words* words = words_of(name);
  if (words == nullptr) return std::string(name);
  return words->title + std::string(name.substr(std::string_view(words->name).size()));
}

StepEvent begin_step(Step step, int index, int count, std::string_view subject) {
  return {name_of(step) + std::string(subject), index, count};
}

}  // namespace ladimo
