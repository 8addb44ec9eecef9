#include "transfer/model_card.h"

#include <doctest/doctest.h>

#include "support/sample_task.h"

using namespace ladimo;
using ladimo::testing::sample_task;

namespace {

ExportReport report_of(std::vector<Measurement> measurements) {
  ExportReport report;
  report.recipe.experts = 8;
  report.recipe.shared = 2;
  report.recipe.layers = {0};
  report.policy.layers = {LayerPolicy::top(2)};
  report.measurements = std::move(measurements);
  for (Measurement& measurement : report.measurements) measurement.policy = report.policy;
  return report;
}

bool says(const std::string& card, const std::string& text) { return card.find(text) != std::string::npos; }

}  // namespace

TEST_CASE("the card has a table of the tasks that were measured, and how to measure them again") {
  Measurement text, tasks;
  text.tokens = 512;
  text.date = "2026-11-23";
  tasks.date = "2026-11-24";
  tasks.tasks = {sample_task("piqa", 30, 2), sample_task("arc_easy", 7, 4)};
  tasks.tasks[0].seen.seen = 0.25;
  const auto card = model_card(report_of({text, tasks}), {});
  CHECK(says(card, "## Tasks"));
  CHECK(says(card,
             "| arc_easy | 100 | probability | 50.0 ± 5.0 | 47.0 ± 5.0 | −3.0 ± 3.3 | 0.55 | no significant "
             "difference |\n"));
  CHECK(says(card, "| piqa | 100 | probability per character | 60.0 ± 4.9 | 60.0 ± 4.9 | 0.0 | 1.00 |"));
  CHECK(says(card, "25 % of the questions of piqa are"));
  CHECK(says(card,
             "    ladimo eval RUN --policy policy.json --tasks-only --tasks arc_easy.jsonl piqa.jsonl\n"));
  CHECK(says(card, "measured 2026-11-23"));
  CHECK_FALSE(says(card, "measured 2026-11-24"));  // it has no numbers of a text
  CHECK_FALSE(says(card, "tasks/"));               // nor a path of the machine
}

TEST_CASE(
    "the card tells a predicted perplexity as a change, and a measured one beside the dense model's on the "
    "same text") {
  Measurement text;
  text.tokens = 512;
  text.dense_perplexity = 26;
  text.numbers.perplexity = 27;
  ExportReport report = report_of({text});
  report.policy.predicted.perplexity = 20;
  const auto card = model_card(report, 20 / 19.3);
  CHECK(says(card, "| predicted | 0 | +3.63 % |"));
  CHECK(says(card, " | 26.0 → 27.0 (+3.85 %) |"));
  CHECK_FALSE(says(card, "| 20.0 |"));
  CHECK(says(model_card(report, {}), "| predicted | 0 | - |"));
}

TEST_CASE("names of files do not break the card's table nor its command") {
  Measurement tasks;
  tasks.tasks = {sample_task("a b|c", 1, 0)};
  const auto card = model_card(report_of({tasks}), {});
  CHECK(says(card, "| a b\\|c | 100 |"));
  CHECK(says(card, "--tasks 'a b|c.jsonl'\n"));
}

TEST_CASE("the card says how to load the model in transformers") {
  const auto card = model_card(report_of({}), {});
  CHECK(says(card, "    model = AutoModelForCausalLM.from_pretrained(\"FOLDER\", trust_remote_code=True)\n"));
}

TEST_CASE("without tasks the card says nothing of them") {
  Measurement text;
  text.tokens = 512;
  CHECK_FALSE(says(model_card(report_of({text}), {}), "asks"));
}
