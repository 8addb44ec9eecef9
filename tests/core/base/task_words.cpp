#include "run/task_words.h"

#include <doctest/doctest.h>

#include "support/sample_task.h"

using namespace ladimo;
using ladimo::testing::sample_task;

TEST_CASE("a sentence says both accuracies, the difference and whether it is shown") {
  const auto [sum, per_character] = task_scores(sample_task("piqa", 7, 4));
  CHECK(sentence(sum) == "piqa: 50.0 % → 47.0 %, −3.0 ± 3.3 points; no significant difference (p = 0.55)");
  CHECK(sentence(per_character) ==
        "piqa per character: 60.0 %; both models answer the same questions correctly");
  CHECK(difference_text(per_character) == "0.0");
  CHECK(share_text(sum.model) == "47.0 ± 5.0");
  CHECK(chosen_by(sum) == "probability");
  CHECK(chosen_by(per_character) == "probability per character");
  const auto worse = task_scores(sample_task("arc", 30, 2)).front();
  CHECK(sentence(worse) ==
        "arc: 50.0 % → 22.0 %, −28.0 ± 4.9 points; the converted model is worse (p < 0.001)");
  const auto better = task_scores(sample_task("arc", 1, 11)).front();
  CHECK(verdict(better) == "the converted model is better");
  CHECK(p_text(better) == "0.006");
  CHECK(difference_text(better) == "+10.0 ± 3.3");
}

TEST_CASE("without a dense original there is nothing to compare") {
  TaskResult result = sample_task("piqa", 7, 4);
  result.dense.reset();
  result.paired.reset();
  const auto score = task_scores(result).front();
  CHECK(sentence(score) == "piqa: 47.0 ± 5.0 %");
  CHECK((difference_text(score) + p_text(score) + verdict(score)).empty());
}

TEST_CASE("points have a sign, but 0 has none") {
  CHECK(points(0.0304) == "+3.0");
  CHECK(points(-0.0006) == "−0.1");
  CHECK(points(-0.0004) == "0.0");
}

TEST_CASE("questions that the run has seen are told") {
  TaskResult result = sample_task("piqa", 7, 4);
  CHECK(seen_remark(result).empty());
  result.seen.seen = 0.004;
  CHECK(seen_remark(result).empty());
  result.seen.seen = 0.25;
  CHECK(seen_remark(result) ==
        "25 % of the questions of piqa are in the text that the run was calibrated on.");
}
