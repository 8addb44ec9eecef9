// The answers of two models to the questions of a task.
#pragma once

#include <string>

#include "run/evaluation.h"

namespace ladimo::testing {

/// 100 questions, of which the dense original answers half right, and only one of both models `lost` and
/// `gained`; by acc_norm both the same.
inline TaskResult sample_task(const std::string& name, std::int64_t lost, std::int64_t gained) {
  TaskResult result{name, 100, {0.5 + static_cast<double>(gained - lost) / 100, 0.05, 0.6, 0.049}, {}};
  result.dense = Accuracy{0.5, 0.05, 0.6, 0.049};
  result.paired = PairedAnswers{lost, gained};
  result.paired_norm = PairedAnswers{0, 0};
  result.file = "tasks/" + name + ".jsonl";
  return result;
}

}  // namespace ladimo::testing
