// How probable a model finds the choices of questions.
#pragma once

#include "base/context.h"
#include "evaluate/tasks.h"
#include "model/weight_source.h"
#include "stream/walk.h"

namespace ladimo {

struct ChoiceScores {
  LogProbabilities converted, dense;
};

/// Scores the choices with the dense model and with the one model of `branches`, all in one walk through the
/// layers. What the choices of a question have in common is computed once, and logits only where they are
/// asked for.
ChoiceScores score_choices(const WeightSource& source, const Branches& branches, const Tokenizer& tokenizer,
                           const Task& task, const Context& context);

/// Answers the questions with the dense model and with the one model of `branches`.
TaskResult answer(const WeightSource& source, const Branches& branches, const Tokenizer& tokenizer,
                  const Task& task, const Context& context);

}  // namespace ladimo
