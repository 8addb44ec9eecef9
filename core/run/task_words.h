// The answers to a task as people read them. The command line, the window and the model card share these
// words and numbers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "run/evaluation.h"

namespace ladimo {

/// A share of right answers, with its standard error.
struct RightShare {
  double share = 0, se = 0;
};

/// How well a task was answered in one way of choosing the answers.
struct TaskScore {
  /// The dense original and how its answers pair with those of the model.
  struct Before {
    RightShare dense;
    PairedAnswers paired;
  };
  std::string task;
  bool over_length = false;  // acc_norm: the log-probability over the choice's length; else acc
  std::int64_t n = 0;        // number of questions
  RightShare model;
  std::optional<Before> before;  // absent without a dense original

  double difference() const { return before ? model.share - before->dense.share : 0; }
};

/// By acc and by acc_norm.
std::array<TaskScore, 2> task_scores(const TaskResult& result);

/// How the answers were chosen: "probability" or "probability per character".
std::string chosen_by(const TaskScore& score);
/// In per cent with the standard error: "68.7 ± 1.5".
std::string share_text(const RightShare& share);
/// A difference of shares in points, with its sign: "−0.7".
std::string points(double difference);
/// In points with the paired standard error: "−0.7 ± 1.2". Where no answer differs there is no such error;
/// without a dense original it is empty.
std::string difference_text(const TaskScore& score);
/// The p of McNemar's exact test: "0.69" or "< 0.001"; empty without a dense original.
std::string p_text(const TaskScore& score);
/// What the difference shows at the level of 5 %: "no difference is shown", "the converted model is worse" or
/// "… better", or that no answer differs; empty without a dense original.
std::string verdict(const TaskScore& score);
/// "piqa: 68.7 % → 68.0 %, −0.7 ± 1.2 points; no difference is shown (p = 0.69)".
std::string sentence(const TaskScore& score);
/// Says that the run has seen a notable share of the questions. Empty where it has not.
std::string seen_remark(const TaskResult& result);

}  // namespace ladimo
