// Multiple choice as lm-eval (EleutherAI's lm-evaluation-harness) defines it: the choice with the highest
// log-probability after the context is the answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "run/evaluation.h"
#include "text/tokenizer.h"

namespace ladimo {

struct Question {
  std::string context;
  std::vector<std::string> choices;  // two or more, none blank
  std::size_t label = 0;             // index of the right choice
};

struct Task {
  std::string name;  // name of the file without its extension
  std::vector<Question> questions;
};

/// Reads JSONL with one question per line: {"context": "...", "choices": ["...", ...], "label": 0}. Throws
/// Refusal with the number of a bad line.
Task read_task(const std::filesystem::path& file);

/// BOS, context and choice. The last `scored` tokens belong to the choice.
struct ChoiceTokens {
  std::vector<std::int32_t> tokens;
  std::size_t scored = 0;
};

/// Splits into tokens like lm-eval with add_bos_token. Context and choice are joined by a space where neither
/// brings one, and white space at the end of the context moves to the choice. Both are encoded together, and
/// the tokens of the context alone count as the context. Beyond `positions` tokens the beginning of the
/// context is dropped. Throws Refusal when the choice alone is longer.
ChoiceTokens choice_tokens(const Tokenizer& tokenizer, const std::string& context, const std::string& choice,
                           std::int64_t positions);

/// Throws Refusal with the number of the question when one of its choices is too long.
void check_lengths(const Task& task, const Tokenizer& tokenizer, std::int64_t positions);

/// Log-probabilities in nats, per question and choice.
using LogProbabilities = std::vector<std::vector<double>>;

/// Whether each question is answered correctly, by the sum of the choice's log-probabilities or by that sum
/// over the choice's length in characters.
std::vector<bool> right_answers(const std::vector<Question>& questions,
                                const LogProbabilities& log_probabilities, bool over_length);

/// The shares of questions that are answered correctly.
Accuracy accuracy(const std::vector<Question>& questions, const LogProbabilities& log_probabilities);

}  // namespace ladimo
