// Multiple choice as lm-eval (EleutherAI's lm-evaluation-harness) defines it: the choice with the highest
// log-probability after the context is the answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/context.h"
#include "evaluate/scores.h"
#include "run/evaluation.h"
#include "text/tokenizer.h"

namespace ladimo {

struct Question {
  std::string context;
  std::vector<std::string> choices;  // two or more, none blank
  std::size_t label = 0;             // of the right choice
};

struct Task {
  std::string name;  // of the file, without its ending
  std::vector<Question> questions;
};

/// JSONL, one question a line: {"context": "...", "choices": ["...", ...], "label": 0}. Throws Refusal with
/// the number of the line.
Task read_task(const std::filesystem::path& file);

/// BOS, context and choice; the last `scored` tokens are the choice's.
struct ChoiceTokens {
  std::vector<std::int32_t> tokens;
  std::size_t scored = 0;
};

/// Tokens as lm-eval cuts them (with add_bos_token): context and choice are joined by a space where neither
/// brings one, white space at the end of the context goes to the choice, both are encoded together, and what
/// the context alone encodes to is the context. More than `positions` tokens lose the context's beginning.
/// Throws Refusal when the choice alone is longer.
ChoiceTokens choice_tokens(const Tokenizer& tokenizer, const std::string& context, const std::string& choice,
                           std::int64_t positions);

/// Throws Refusal with the number of the question whose choice is too long.
void check_lengths(const Task& task, const Tokenizer& tokenizer, std::int64_t positions);

/// Nats, per question and choice.
using LogProbabilities = std::vector<std::vector<double>>;
struct ChoiceScores {
  LogProbabilities converted, dense;
};

/// With the dense model and under `policy`; choices of about equal length go together.
ChoiceScores score_choices(const WeightSource& source, const MoeLayers& moe, const ModelPolicy& policy,
                           const Tokenizer& tokenizer, const Task& task, const Context& context);

/// Shares of questions answered rightly.
Accuracy accuracy(const std::vector<Question>& questions, const LogProbabilities& log_probabilities);

/// Answers with the dense model and under `policy`.
TaskResult answer(const WeightSource& source, const MoeLayers& moe, const ModelPolicy& policy,
                  const Tokenizer& tokenizer, const Task& task, const Context& context);

}  // namespace ladimo
