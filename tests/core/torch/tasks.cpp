// Multiple choice by lm-eval's rules, with the numbers that Hugging Face transformers computes.
#include <cmath>

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "evaluate/tasks.h"
#include "support/refusals.h"
#include "support/temporary_folder.h"
#include "support/tensors.h"

// This comes last, because torch's logging headers define another CHECK.
#include <doctest/doctest.h>

using namespace ladimo;
using namespace ladimo::testing;
namespace fs = std::filesystem;

namespace {

const fs::path demo = LADIMO_DEMO;
const fs::path parity = fs::path(LADIMO_TEST_DATA) / "parity";

ModelPolicy all_dense(const WeightSource& source) {
  return ModelPolicy(static_cast<std::size_t>(source.config().layers), LayerPolicy::dense());
}

}  // namespace

TEST_CASE("log-probabilities and accuracies equal those of Hugging Face transformers with lm-eval's rules") {
  const at::NoGradGuard no_grad;
  const auto source = open_weights(demo);
  const auto tokenizer = load_tokenizer(ModelFiles(demo));
  const auto task = read_task(parity / "choices.jsonl");
  const auto golden = read_json(parity / "choices.json");
  CHECK(task.name == "choices");
  REQUIRE(task.questions.size() == golden["log_probabilities"].size());
  const auto scores = score_choices(source, {}, all_dense(source), *tokenizer, task, {});
  for (std::size_t q = 0; q < task.questions.size(); ++q)
    for (std::size_t c = 0; c < task.questions[q].choices.size(); ++c) {
      INFO(task.questions[q].context, " | ", task.questions[q].choices[c]);
      CHECK(scores.dense[q][c] ==
            doctest::Approx(golden["log_probabilities"][q][c].get<double>()).epsilon(1e-4));
      CHECK(scores.converted[q][c] == scores.dense[q][c]);
    }
  const auto result = answer(source, {}, all_dense(source), *tokenizer, task, {});
  CHECK(result.n == 7);
  REQUIRE(result.dense);
  CHECK(result.dense->acc == doctest::Approx(golden["acc"].get<double>()));
  CHECK(result.dense->acc_norm == doctest::Approx(golden["acc_norm"].get<double>()));
  CHECK(result.model.acc == result.dense->acc);
}

TEST_CASE("context and choice are cut as lm-eval cuts them") {
  const auto tokenizer = load_tokenizer(ModelFiles(demo));
  const auto tokens = [&](const char* context, const char* choice, std::int64_t positions = 256) {
    return choice_tokens(*tokenizer, context, choice, positions);
  };
  const auto plain = tokens("the little", "girl");
  CHECK(plain.tokens.front() == tokenizer->bos());
  CHECK(plain.scored == tokenizer->encode("the little girl").size() - tokenizer->encode("the little").size());
  // The tokens are the same whether the context or the choice has the space, or neither.
  CHECK(tokens("the little", " girl").tokens == plain.tokens);
  CHECK(tokens("the little ", "girl").tokens == plain.tokens);
  CHECK(tokens("the little ", "girl").scored == plain.scored);
  // Without a context only the beginning of the text comes before the choice.
  const auto alone = tokens("", "girl");
  CHECK(alone.scored + 1 == alone.tokens.size());
  // A question that is too long loses the beginning of its context but keeps BOS.
  const auto cut = tokens("one day the big red dog saw the little", "girl", 6);
  REQUIRE(cut.tokens.size() == 6);
  CHECK(cut.tokens.front() == tokenizer->bos());
  CHECK(cut.tokens.back() == plain.tokens.back());
  check_refused("more than the model's 3 positions", [&] { tokens("a", "girl with the red ball", 3); });
}

TEST_CASE(
    "acc takes the most probable choice, acc_norm the most probable per character; errors are binomial") {
  const std::vector<Question> questions = {
      {"", {"ab", "abcdefgh"}, 1}, {"", {"ab", "abcd"}, 0}, {"", {"ab", "ab"}, 1}, {"", {"éé", "abc"}, 0}};
  // Per character: -1 and -0.5; -1 and -1 (the first wins a tie); the first wins a tie; -0.5 and -0.4.
  const LogProbabilities sums = {{-2, -4}, {-2, -4}, {-1, -1}, {-1, -1.2}};
  const auto found = accuracy(questions, sums);
  CHECK(found.acc == 0.5);
  CHECK(found.acc_norm == 0.5);
  CHECK(found.acc_se == doctest::Approx(std::sqrt(0.25 / 3)));
  CHECK(accuracy({questions[0]}, {sums[0]}).acc == 0);
  CHECK(accuracy({questions[0]}, {sums[0]}).acc_norm == 1);
  CHECK(accuracy({questions[3]}, {sums[3]}).acc == 1);
  CHECK(accuracy({questions[3]}, {sums[3]}).acc_norm == 0);
  CHECK(accuracy({questions[0]}, {sums[0]}).acc_se == 0);
}

TEST_CASE("a damaged line is refused with its number") {
  const TemporaryFolder folder;
  const auto file = folder / "quiz.jsonl";
  const std::string good = R"({"context": "a", "choices": ["b", "c"], "label": 1})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{", "Line 3 of quiz.jsonl is not valid JSON"},
      {"[]", "no text \"context\""},
      {R"({"context": 1, "choices": ["b", "c"], "label": 1})", "no text \"context\""},
      {R"({"context": "a", "choices": ["b"], "label": 0})", "two or more"},
      {R"({"context": "a", "choices": "b", "label": 0})", "two or more"},
      {R"({"context": "a", "choices": ["b", ""], "label": 0})", "no text, or blank"},
      {R"({"context": "a", "choices": ["b", 3], "label": 0})", "no text, or blank"},
      {R"({"context": "a", "choices": ["b", "c"]})", "no number \"label\""},
      {R"({"context": "a", "choices": ["b", "c"], "label": "1"})", "no number \"label\""},
      {R"({"context": "a", "choices": ["b", "c"], "label": 2})", "none of its choices"},
      {R"({"context": "a", "choices": ["b", "c"], "label": -1})", "none of its choices"}};
  for (const auto& [line, said] : cases) {
    write_file(file, good + "\n\n" + line + "\n");
    check_refused(said, [&] { read_task(file); });
    check_refused("Line 3", [&] { read_task(file); });
  }
  write_file(file, "\xEF\xBB\xBF" + good);
  CHECK(read_task(file).questions.size() == 1);
  write_file(file, "\x1F\x8B and more");
  check_refused("quiz.jsonl is a gzip archive", [&] { read_task(file); });
  write_file(file, "\n");
  check_refused("holds no questions", [&] { read_task(file); });
  check_refused("nowhere.jsonl", [&] { read_task(folder / "nowhere.jsonl"); });
  write_file(file, good + "\r\n" + good);
  CHECK(read_task(file).questions.size() == 2);
}
