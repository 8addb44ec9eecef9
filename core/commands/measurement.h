// `ladimo eval`: measures a run under a policy, or a dense model, on any text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/context.h"
#include "commands/loaded_model.h"
#include "run/evaluation.h"

namespace ladimo {

/// The text and the tasks to measure on.
struct EvaluationText {
  std::vector<std::filesystem::path> files;  // none: the run's checking split
  std::int64_t tokens = 0;                   // 0: all (as many from every file as the smallest gives)
  std::int64_t window = 0;                   // 0: the run's, or the model's default
  std::vector<std::filesystem::path> tasks;  // multiple choice (evaluate/tasks.h)
  bool tasks_only = false;                   // answers the tasks and scores no text
};

/// Scores the text and answers the tasks. A model that is not a RUN may answer tasks without a text. Without
/// a dense original the scores compare with nothing (TextScores::compares). For a RUN everything is also
/// appended to its measurements as one measurement, and emitted as a MeasureEvent. Throws Refusal for a text,
/// window or task that does not fit, and when there is nothing to measure.
Evaluation evaluate(const LoadedModel& model, const Policy& policy, const EvaluationText& text,
                    const Context& context);

}  // namespace ladimo
