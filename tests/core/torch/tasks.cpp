// Multiple choice by lm-eval's rules, with the numbers that Hugging Face transformers computes.
#include <atomic>
#include <cmath>

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "evaluate/choice_scores.h"
#include "evaluate/scores.h"
#include "support/byte_tokenizer.h"
#include "support/pico_model.h"
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

/// Scores every choice as a text of its own, without sharing anything.
ChoiceScores score_apart(const WeightSource& source, const Branches& branches, const Tokenizer& tokenizer,
                         const Task& task) {
  ChoiceScores result;
  for (const Question& question : task.questions) {
    result.dense.emplace_back();
    result.converted.emplace_back();
    for (const auto& choice : question.choices) {
      const auto text = choice_tokens(tokenizer, question.context, choice, source.config().max_positions);
      const Windows windows = {std::ssize(text.tokens), text.tokens, {0}};
      const auto scores = score(source, branches, windows, {});
      const auto sum = [&](const std::vector<float>& nll) {
        double total = 0;
        for (auto i = nll.size() - text.scored; i < nll.size(); ++i) total -= static_cast<double>(nll[i]);
        return total;
      };
      result.dense.back().push_back(sum(scores.dense_nll));
      result.converted.back().push_back(sum(scores.policies[0].nll));
    }
  }
  return result;
}

/// A random model whose two layers are converted.
struct ConvertedModel {
  TemporaryFolder folder;
  WeightSource source;
  MoeLayers moe;

  explicit ConvertedModel(const nlohmann::json& config) : source(make(folder.path(), config)) {
    moe.load = [this](int layer) {
      auto weights = random_moe(*source.dense_ffn(layer), 8, 16, static_cast<std::uint64_t>(layer));
      return std::make_shared<MoeWeights>(std::move(weights));
    };
  }

 private:
  static WeightSource make(const fs::path& path, const nlohmann::json& config) {
    ModelShape shape;
    shape.extra = config;
    write_pico_model(path, shape);
    return open_weights(path);
  }
};

}  // namespace

TEST_CASE("choices that share their context score as they do apart") {
  const at::NoGradGuard no_grad;
  const std::string sixty = "a context of sixty bytes, which is close to the last position ";
  const std::vector<Question> questions = {
      {"What is it?", {"a cat", "a cow", "a", "dog"}, 0},
      {"Short", {"x", "y"}, 1},
      {"Choices that begin alike", {"the same word", "the same way", "the same"}, 2},
      {"Twice the same", {"word", "word"}, 0},
      {"", {"no context", "nothing"}, 1},
      {sixty, {"so the beginning is lost", "or not", "a"}, 0},
      {"On both sides of 32 tokens", {"no", "certainly longer than that"}, 0}};
  const Task task = {"quiz", questions};
  const nlohmann::json longrope = {
      {"type", "longrope"}, {"short_factor", {1, 1, 2, 3}}, {"long_factor", {1, 2, 4, 8}}};
  const std::vector<nlohmann::json> configs = {
      nlohmann::json::object(),
      {{"architectures", {"MistralForCausalLM"}}, {"model_type", "mistral"}, {"sliding_window", 5}},
      {{"max_position_embeddings", 24}, {"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 4.0}}}},
      {{"architectures", {"Phi3ForCausalLM"}},
       {"model_type", "phi3"},
       {"original_max_position_embeddings", 32},
       {"rope_scaling", longrope}}};
  for (const auto& config : configs) {
    CAPTURE(config.dump());
    const ConvertedModel model(config);
    for (const std::vector<ModelPolicy>& policy :
         {std::vector<ModelPolicy>{{LayerPolicy::above(0.0), LayerPolicy::top(3)}},
          std::vector<ModelPolicy>{{LayerPolicy::dense(), LayerPolicy::top(2)}}}) {
      const Branches branches = under_policies(model.source, model.moe, policy, SkippedExperts::masked);
      for (const ByteTokenizer& tokenizer : {ByteTokenizer(1, 2), ByteTokenizer(-1, 2)}) {
        const auto together = score_choices(model.source, branches, tokenizer, task, {});
        const auto apart = score_apart(model.source, branches, tokenizer, task);
        for (std::size_t q = 0; q < questions.size(); ++q)
          for (std::size_t c = 0; c < questions[q].choices.size(); ++c) {
            INFO(questions[q].context, " | ", questions[q].choices[c]);
            CHECK(together.dense[q][c] == doctest::Approx(apart.dense[q][c]).epsilon(1e-5));
            CHECK(together.converted[q][c] == doctest::Approx(apart.converted[q][c]).epsilon(1e-5));
            CHECK(together.dense[q][c] != doctest::Approx(together.converted[q][c]).epsilon(1e-4));
          }
      }
    }
  }
}

TEST_CASE("a task can be stopped") {
  const at::NoGradGuard no_grad;
  const ConvertedModel model(nlohmann::json::object());
  const std::vector<ModelPolicy> policies = {{LayerPolicy::top(1), LayerPolicy::top(1)}};
  const std::atomic<bool> stop = true;
  CHECK_THROWS_AS(
      score_choices(model.source, under_policies(model.source, model.moe, policies, SkippedExperts::masked),
                    ByteTokenizer(1, 2), {"quiz", {{"a", {"b", "c"}, 0}}}, Context({}, &stop)),
      Interrupted);
}

TEST_CASE("log-probabilities and accuracies equal those of Hugging Face transformers with lm-eval's rules") {
  const at::NoGradGuard no_grad;
  const auto source = open_weights(demo);
  const auto tokenizer = load_tokenizer(ModelFiles(demo));
  const auto task = read_task(parity / "choices.jsonl");
  const auto golden = read_json(parity / "choices.json");
  CHECK(task.name == "choices");
  REQUIRE(task.questions.size() == golden["log_probabilities"].size());
  const std::vector<ModelPolicy> policies = {all_dense(source)};
  const MoeLayers none;
  const Branches branches = under_policies(source, none, policies, SkippedExperts::masked);
  const auto scores = score_choices(source, branches, *tokenizer, task, {});
  for (std::size_t q = 0; q < task.questions.size(); ++q)
    for (std::size_t c = 0; c < task.questions[q].choices.size(); ++c) {
      INFO(task.questions[q].context, " | ", task.questions[q].choices[c]);
      CHECK(scores.dense[q][c] ==
            doctest::Approx(golden["log_probabilities"][q][c].get<double>()).epsilon(1e-4));
      CHECK(scores.converted[q][c] == scores.dense[q][c]);
    }
  const auto result = answer(source, branches, *tokenizer, task, {});
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
  CHECK(right_answers({questions[0], questions[3]}, {sums[0], sums[3]}, false) == std::vector{false, true});
  CHECK(right_answers({questions[0], questions[3]}, {sums[0], sums[3]}, true) == std::vector{true, false});
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
      {R"({"context": "a", "choices": ["b", ""], "label": 0})", "not text, or blank"},
      {R"({"context": "a", "choices": ["b", 3], "label": 0})", "not text, or blank"},
      {R"({"context": "a", "choices": ["b", "c"]})", "no number \"label\""},
      {R"({"context": "a", "choices": ["b", "c"], "label": "1"})", "no number \"label\""},
      {R"({"context": "a", "choices": ["b", "c"], "label": 2})", "not one of its choices"},
      {R"({"context": "a", "choices": ["b", "c"], "label": -1})", "not one of its choices"}};
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
  check_refused("contains no questions", [&] { read_task(file); });
  check_refused("nowhere.jsonl", [&] { read_task(folder / "nowhere.jsonl"); });
  write_file(file, good + "\r\n" + good);
  CHECK(read_task(file).questions.size() == 2);
}
