#include "run/measurement.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/context.h"
#include "base/files.h"
#include "support/refusals.h"
#include "support/sample_run.h"
#include "support/sample_task.h"

using namespace ladimo;
using ladimo::testing::SampleRun;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

Measurement of(const std::vector<LayerPolicy>& layers, std::int64_t tokens = 512) {
  Measurement measurement;
  measurement.date = "2026-11-23T12:00:00Z";
  measurement.machine = "a machine";
  measurement.split = EvaluatedText::named;
  measurement.text = {"a.txt", "b.txt"};
  measurement.calibrated_on = {"b.txt"};
  measurement.tokens = tokens;
  measurement.window = 64;
  measurement.policy.layers = layers;
  measurement.numbers.kl = 0.25;
  measurement.dense_perplexity = 8;
  measurement.same_top = 0.75;
  measurement.same_top_se = 0.01;
  measurement.kl_percentiles = {0.1, 0.2, 0.3, 0.4};
  return measurement;
}

}  // namespace

TEST_CASE("a measurement survives its file and its event unchanged") {
  const json written = to_json(of({LayerPolicy::dense(), LayerPolicy::above(0.25, 3)}));
  CHECK(written["split"] == "text");
  CHECK(written["kl_percentiles"] == json{{"50", 0.1}, {"95", 0.2}, {"99", 0.3}, {"100", 0.4}});
  const Measurement read = measurement_from_json(written);
  CHECK(to_json(read) == written);
  CHECK(to_json(measurement_of(measure_event(read))) == written);
  json old = written;
  old.erase("calibrated_on");
  CHECK(measurement_from_json(old).calibrated_on.empty());
  old["split"] = "tables";
  testing::check_refused("split is neither checking nor text", [&] { measurement_from_json(old); });
}

TEST_CASE("answers to tasks are kept beside a text or alone; what is measured on a text is null then") {
  Measurement both = of({LayerPolicy::dense()});
  both.tasks = {testing::sample_task("piqa", 7, 4)};
  const json written = to_json(both);
  CHECK(written["tasks"][0]["task"] == "piqa");
  CHECK(written["tasks"][0]["file"] == "tasks/piqa.jsonl");
  CHECK(written["tasks"][0]["dense_acc_se"] == 0.05);
  CHECK(written["tasks"][0]["paired"]["lost"] == 7);
  CHECK(to_json(measurement_from_json(written)) == written);
  json old = written;
  old.erase("tasks");
  CHECK(measurement_from_json(old).tasks.empty());

  Measurement alone = both;
  alone.tokens = 0;
  alone.text.clear();
  CHECK_FALSE(alone.has_text());
  const json without = to_json(alone);
  for (const char* key : {"split", "window", "numbers", "dense_perplexity", "same_top", "kl_percentiles"})
    CHECK(without.at(key).is_null());
  CHECK(without["tasks"] == written["tasks"]);
  CHECK(to_json(measurement_of(measure_event(measurement_from_json(without)))) == without);
}

TEST_CASE("the newest answers of a policy to every task count") {
  const std::vector<LayerPolicy> calm = {LayerPolicy::dense()}, wild = {LayerPolicy::top(1)};
  std::vector<Measurement> all = {of(calm), of(calm), of(wild), of(calm)};
  all[0].tasks = {testing::sample_task("piqa", 1, 0), testing::sample_task("arc", 2, 0)};
  all[1].tasks = {testing::sample_task("piqa", 3, 0)};
  all[2].tasks = {testing::sample_task("piqa", 4, 0)};
  const auto found = newest_tasks(all, calm);
  REQUIRE(found.size() == 2);
  CHECK(found[0].task == "arc");
  CHECK(found[1].paired->lost == 3);
  CHECK(newest_tasks(all, {LayerPolicy::top(2)}).empty());
  all[3].tasks = {testing::sample_task("piqa", 5, 0)};
  all[3].tasks[0].file = "elsewhere/piqa.jsonl";
  CHECK(newest_tasks(all, calm).size() == 3);
}

TEST_CASE("the times of a policy are written into its newest measurement") {
  const SampleRun sample;
  const Context context;
  Policy policy;
  policy.layers = {LayerPolicy::dense(), LayerPolicy::above(0.25, 3)};
  keep_times(sample.run, policy, 2, 0.5, context);
  CHECK_FALSE(fs::exists(sample.run.measurements_file()));
  for (const auto& layers : {policy.layers, policy.layers, {LayerPolicy::dense(), LayerPolicy::top(2)}})
    append_measurement(sample.run, of(layers), context);
  append_measurement(sample.run, of(policy.layers, 0), context);  // tasks alone
  keep_times(sample.run, policy, 2, 0.5, context);
  const auto kept = read_measurements(sample.run);
  CHECK(kept[1].numbers.decode_ms == 2);
  CHECK(kept[1].numbers.prefill_ms == 0.5);
  for (const std::size_t untimed : {0, 2, 3}) CHECK_FALSE(kept[untimed].numbers.decode_ms);
}

TEST_CASE("at most 200 measurements are kept, newest last; if they cannot be written, a warning says so") {
  const SampleRun sample;
  std::vector<WarningEvent> warnings;
  const Context context([&](const Event& event) { warnings.push_back(std::get<WarningEvent>(event)); });
  CHECK(read_measurements(sample.run).empty());
  for (int i = 0; i < 203; ++i) append_measurement(sample.run, of({}, i), context);
  const auto kept = read_measurements(sample.run);
  REQUIRE(kept.size() == 200);
  CHECK(kept.front().tokens == 3);
  CHECK(kept.back().tokens == 202);
  CHECK(warnings.empty());

  write_file(sample.run.measurements_file(), "{}");
  append_measurement(sample.run, of({}), context);
  REQUIRE(warnings.size() == 1);
  CHECK(warnings.front().message.find("not kept") != std::string::npos);
  CHECK(read_file(sample.run.measurements_file()) == "{}");
}
