#include "evaluate/tasks.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "text/text_format.h"

namespace ladimo {
namespace {

constexpr const char* white_space = " \t\r\n\v\f";

Question question_of(const nlohmann::json& json, const std::string& where,
                     const std::filesystem::path& file) {
  const auto refuse_unless = [&](bool holds, const char* complaint) {
    if (!holds)
      throw Refusal(fmt::format("{} {}.", where, complaint),
                    R"(Every line must be like {"context": "...", "choices": ["...", "..."], "label": 0}.)",
                    file);
  };
  refuse_unless(!json.is_discarded(), "is not valid JSON");
  refuse_unless(json.is_object() && json.contains("context") && json["context"].is_string(),
                "has no text \"context\"");
  refuse_unless(json.contains("choices") && json["choices"].is_array() && json["choices"].size() >= 2,
                "has no list \"choices\" of two or more");
  refuse_unless(json.contains("label") && json["label"].is_number_integer(), "has no number \"label\"");
  Question question;
  question.context = json["context"];
  for (const auto& choice : json["choices"]) {
    refuse_unless(choice.is_string() && choice.get_ref<const std::string&>().find_first_not_of(white_space) !=
                                            std::string::npos,
                  "has a choice that is not text, or blank");
    question.choices.push_back(choice);
  }
  const auto label = json["label"].get<std::int64_t>();
  refuse_unless(label >= 0 && label < static_cast<std::int64_t>(question.choices.size()),
                "has a \"label\" that is not one of its choices");
  question.label = static_cast<std::size_t>(label);
  return question;
}

/// The number of Unicode characters, as Python's len() counts them.
double characters(const std::string& text) {
  return static_cast<double>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

double standard_error(double share, double n) { return n > 1 ? std::sqrt(share * (1 - share) / (n - 1)) : 0; }

}  // namespace

Task read_task(const std::filesystem::path& file) {
  Task task{file.stem().string(), {}};
  const std::string bytes = read_file(file);
  refuse_foreign_text(bytes, file);
  std::istringstream lines{std::string(without_mark(bytes))};
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.find_first_not_of(white_space) == std::string::npos) continue;
    const auto where = fmt::format("Line {} of {}", number, file.filename().string());
    task.questions.push_back(question_of(nlohmann::json::parse(line, nullptr, false), where, file));
  }
  if (task.questions.empty())
    throw Refusal(fmt::format("{} contains no questions.", file.filename().string()),
                  "Give a JSONL file with one question per line.", file);
  return task;
}

ChoiceTokens choice_tokens(const Tokenizer& tokenizer, const std::string& context, const std::string& choice,
                           std::int64_t positions) {
  const auto end = context.find_last_not_of(white_space);
  const auto kept = end == std::string::npos ? std::size_t{0} : end + 1;
  const bool apart = context.empty() || kept < context.size() || choice.find_first_of(white_space) == 0;
  auto whole = tokenizer.encode(context + (apart ? "" : " ") + choice);
  const auto before = std::min(tokenizer.encode(context.substr(0, kept)).size(), whole.size() - 1);
  ChoiceTokens result{{}, whole.size() - before};
  const auto first = tokenizer.bos() >= 0 ? tokenizer.bos() : before == 0 ? tokenizer.eos() : -1;
  if (first >= 0) result.tokens.push_back(first);
  const auto room = static_cast<std::size_t>(positions) - result.tokens.size();
  if (result.scored > room)
    throw Refusal(fmt::format("A choice has {} tokens, more than the model's {} positions take.",
                              result.scored, positions),
                  "Leave this question out.");
  const auto cut = whole.size() > room ? whole.size() - room : 0;
  result.tokens.insert(result.tokens.end(), whole.begin() + static_cast<std::ptrdiff_t>(cut), whole.end());
  return result;
}

void check_lengths(const Task& task, const Tokenizer& tokenizer, std::int64_t positions) {
  for (std::size_t q = 0; q < task.questions.size(); ++q)
    for (const auto& choice : task.questions[q].choices) {
      try {
        choice_tokens(tokenizer, task.questions[q].context, choice, positions);
      } catch (const Refusal& refusal) {
        throw Refusal(fmt::format("Question {} of {}: {}", q + 1, task.name, refusal.problem().message),
                      refusal.problem().hint);
      }
    }
}

std::vector<bool> right_answers(const std::vector<Question>& questions,
                                const LogProbabilities& log_probabilities, bool over_length) {
  std::vector<bool> right;
  for (std::size_t q = 0; q < questions.size(); ++q) {
    auto values = log_probabilities[q];
    if (over_length)
      for (std::size_t c = 0; c < values.size(); ++c) values[c] /= characters(questions[q].choices[c]);
    const auto chosen = static_cast<std::size_t>(std::ranges::max_element(values) - values.begin());
    right.push_back(chosen == questions[q].label);
  }
  return right;
}

Accuracy accuracy(const std::vector<Question>& questions, const LogProbabilities& log_probabilities) {
  const auto count = [&](bool over_length) {
    return static_cast<double>(
        std::ranges::count(right_answers(questions, log_probabilities, over_length), true));
  };
  const double right = count(false), right_norm = count(true);
  const auto n = static_cast<double>(questions.size());
  return {right / n, standard_error(right / n, n), right_norm / n, standard_error(right_norm / n, n)};
}

}  // namespace ladimo
