// The results of commands, written as JSON and read again.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "base/json_fields.h"
#include "run/bench_result.h"
#include "run/comparison.h"
#include "run/continuation.h"
#include "run/conversion_result.h"
#include "run/evaluation.h"
#include "run/export_report.h"
#include "run/inspection.h"
#include "run/saved_policy.h"
#include "run/step.h"
#include "support/refusals.h"

using namespace ladimo;
using ladimo::testing::check_refused;
using nlohmann::json;

namespace {

TextScores sample_scores(bool compares) {
  TextScores scores{100, 1.5, 4.5, compares, 1.25, 3.5, 0.25, {0.1, 0.2, 0.3, 0.4}, 0.75, 0.01};
  return scores;
}

Evaluation sample_evaluation(bool compares) {
  TextEvaluation text;
  text.scores = sample_scores(compares);
  text.activated_parameters = 1000;
  text.activated_fraction = 0.5;
  text.ffn_activated = 0.25;
  text.split = EvaluatedText::named;
  text.calibrated_on = {"a.txt"};
  text.seen = {0.5, 0.125, {}};
  text.window = 64;
  text.mean_experts = {0, 2.5};
  text.domains = {{"a.txt", sample_scores(compares), {1, 0.25, {}}}, {"b.txt", sample_scores(compares)}};
  Evaluation evaluation{text, {{"riddles", 4, {0.5, 0.1, 0.75, 0.2}, {}}}};
  if (compares) evaluation.tasks[0].dense = Accuracy{0.25, 0, 0.5, 0};
  return evaluation;
}

}  // namespace

TEST_CASE("an evaluation of a dense model has null for every comparison") {
  const json compared = to_json(sample_evaluation(true));
  CHECK(compared["kl"] == 0.25);
  CHECK(compared["kl_percentiles"]["95"] == 0.2);
  CHECK(compared["split"] == "text");
  CHECK(compared["seen_share"] == 0.5);
  CHECK(compared["calibrated_share"] == 0.125);
  CHECK(compared.at("held_out_share").is_null());
  CHECK(compared["domains"][0]["seen_share"] == 1.0);
  CHECK(compared["domains"][1].at("seen_share").is_null());
  CHECK(compared["tasks"][0].at("seen_share").is_null());
  CHECK(compared["domains"][1]["text"] == "b.txt");
  CHECK(compared["domains"][1]["dense_nll"] == 1.25);
  CHECK(compared["tasks"][0]["dense_acc_norm"] == 0.5);
  CHECK(to_json(evaluation_from_json(compared)) == compared);

  const json dense = to_json(sample_evaluation(false));
  CHECK(dense["nll"] == 1.5);
  for (const char* key :
       {"dense_nll", "dense_perplexity", "kl", "kl_percentiles", "same_top", "same_top_se"}) {
    INFO(key);
    CHECK(dense.at(key).is_null());
    CHECK(dense["domains"][0].at(key).is_null());
  }
  CHECK(dense["tasks"][0].at("dense_acc").is_null());
  CHECK(to_json(evaluation_from_json(dense)) == dense);
}

TEST_CASE("an evaluation of tasks alone has the keys of text, with null") {
  const json with_text = to_json(sample_evaluation(true));
  const json without = to_json(Evaluation{{}, sample_evaluation(true).tasks});
  for (const auto& [key, value] : with_text.items()) CHECK(without.contains(key));
  CHECK(without.size() == with_text.size());
  CHECK(without["nll"].is_null());
  CHECK(without["tokens"] == 0);
  CHECK(without["domains"] == json::array());
  CHECK(to_json(evaluation_from_json(without)) == without);
}

TEST_CASE("a conversion is written and read") {
  const json written = to_json(ConversionResult{
      "run", {{0, 0.5, 0.25, 3}, {2, 0.4, 0.2, 0}}, 7.5, 1, {{"layers", 2, 6, 3}}, {{"refit", 1, 4, 4}}});
  CHECK(written["layers"][1] ==
        json{{"layer", 2}, {"loss_before", 0.4}, {"loss_after", 0.2}, {"seconds", 0.0}});
  CHECK(written["parts"][0] ==
        json{{"name", "refit"}, {"seconds", 1.0}, {"flops", 4.0}, {"flops_per_s", 4.0}});
  CHECK(to_json(conversion_result_from_json(written)) == written);
  check_refused("The result of the conversion: run is missing",
                [] { conversion_result_from_json(json::object()); });
}

TEST_CASE("in a timing a missing side is null, and so is the speedup") {
  BenchResult result{{100, 150, 64, 0.01},
                     {{}, 3000, 512, 0.02},
                     6.5,
                     1e6,
                     0.5,
                     2e9,
                     "q8_0",
                     HoldingLoss{0.002, 256},
                     2,
                     "a machine",
                     "now"};
  const json written = to_json(result);
  CHECK(written["decode"]["speedup"] == 1.5);
  CHECK(written["decode"]["predicted_ms"] == 6.5);
  CHECK(written["decode"]["bandwidth_fraction"] == 0.5);
  CHECK(written["prefill"].at("dense_tokens_per_s").is_null());
  CHECK(written["prefill"].at("speedup").is_null());
  CHECK(written["hold"] == json{{"kl", 0.002}, {"tokens", 256}});
  CHECK(*result.decode.converted_ms() == doctest::Approx(1000.0 / 150));
  CHECK(to_json(bench_result_from_json(written)) == written);
}

TEST_CASE("continuations have the sides that were asked for") {
  const Continuation continuation{"Once upon", {{7, " upon", {3, -1}}}, 12.5};
  const json written = to_json(continuation);
  CHECK(written["tokens"][0] == json{{"id", 7}, {"text", " upon"}, {"experts", {3, -1}}});
  CHECK(to_json(continuation_from_json(written)) == written);
  const json sides = to_json(Continuations{{}, continuation});
  CHECK(sides == json{{"converted", written}});
  CHECK(to_json(continuations_from_json(sides)) == sides);
}

TEST_CASE("a comparison is read back; its summary is computed from its rows") {
  Comparison comparison;
  for (const std::uint64_t seed : {0, 1})
    comparison.rows.push_back(
        {"ladimo", seed, 0.5, 0.49, 0.8, 0.1 + static_cast<double>(seed), 1, 2, 0.9, 12});
  comparison.rows.push_back({"static", 0, 0.5, 0.5, 0.8, 0.4, 1, 2, 0.9, 12});
  comparison.tokens = 1000;
  comparison.experts = 64;
  comparison.held_out_seen.seen = 0.25;
  const json written = to_json(comparison);
  CHECK(written["rows"].size() == 3);
  CHECK(written["seen_share"] == 0.25);
  CHECK(written["summary"][0]["seeds"] == 2);
  CHECK(written["summary"][0]["kl"].get<double>() == doctest::Approx(0.6));
  CHECK(written["summary"][1].at("kl_spread").is_null());
  CHECK(to_json(comparison_from_json(written)) == written);
}

TEST_CASE("an export has its report in the folder and its result on stdout") {
  ExportReport report;
  report.program = "ladimo 1";
  report.recipe.window = 64;
  report.recipe.experts = 8;
  report.recipe.shared = 2;
  report.recipe.layers = {0};
  report.policy.layers = {LayerPolicy::top(2)};
  report.verification = {512, 1e-5, 1e-9};
  report.measurements.resize(1);
  const json written = to_json(report);
  CHECK(written["schema"] == "ladimo.report/1");
  CHECK(to_json(export_report_from_json(written)) == written);
  json other = written;
  other["schema"] = "ladimo.report/2";
  check_refused("schema is not ladimo.report/1", [&] { export_report_from_json(other); });

  const json printed = to_json(ExportResult{"native", "model", {"config.json"}, 12, report.verification});
  CHECK(printed["max_logit_error"] == 1e-5);
  CHECK(to_json(export_result_from_json(printed)) == printed);
  CHECK(saved_policy_from_json(to_json(SavedPolicy{"p.json"})).path == "p.json");
}

TEST_CASE("an inspection holds the whole config") {
  Inspection inspection;
  inspection.config.architecture = "LlamaForCausalLM";
  inspection.config.layers = 2;
  inspection.config.hidden_size = 8;
  inspection.config.intermediate_size = 16;
  inspection.config.heads = inspection.config.kv_heads = 2;
  inspection.config.head_dim = 4;
  inspection.config.vocab_size = 32;
  inspection.config.qkv_bias = inspection.config.o_bias = inspection.config.mlp_bias = true;
  inspection.config.rope_scaling = {RopeScaling::Kind::llama3, 8, 1, 4, 8192};
  inspection.config.rope_scaling.long_factors = {1, 2.5};
  inspection.config.attention_multiplier = 0.25;
  inspection.config.full_attention_layers = {1};
  inspection.config.eos = {2, 3};
  inspection.threads = 4;
  inspection.problems = {{"It is broken.", "Download it again.", "config.json"}};
  const json half = to_json(inspection);
  for (const char* key : {"native", "fingerprint", "weight_bytes", "tokenizer", "license"})
    CHECK(half.at(key).is_null());
  CHECK(half["parameters"] == inspection.config.parameters());
  CHECK(half["family"] == "Llama");
  const Inspection read = inspection_from_json(half);
  CHECK(to_json(read) == half);
  CHECK(read.config.activated_parameters() == inspection.config.activated_parameters());
  CHECK(read.problems[0].path == "config.json");

  inspection.problems.clear();
  inspection.fingerprint = "abc";
  inspection.tokenizer_kind = "byte-level BPE";
  inspection.license = "apache-2.0";
  inspection.weight_bytes = 2;
  inspection.native = Inspection::Native{"original", "def", 48, {0}, {1}};
  const json whole = to_json(inspection);
  CHECK(whole["native"]["converted_layers"] == json{1});
  CHECK(whole["tokenizer"] == "byte-level BPE");
  CHECK(whole["license"] == "apache-2.0");
  CHECK(to_json(inspection_from_json(whole)) == whole);
}

TEST_CASE("steps have fixed names and a description") {
  CHECK(begin_step(Step::calibration_text, 0, 7).name == "calibration text");
  CHECK(begin_step(Step::task, 1, 2, " riddles").name == "task riddles");
  CHECK(step_named("second sweep") == Step::second_sweep);
  CHECK(step_named("task riddles") == Step::task);
  CHECK(step_named("ladimo without refit, seed 0") == Step::ours);
  CHECK_FALSE(step_named("layers-of-cake"));
  CHECK(step_in_words("finish") == title_of(Step::finish));
  CHECK(step_in_words("task riddles") == "Task riddles");
  CHECK(step_in_words("dreaming") == "dreaming");
  for (int i = 0; i <= static_cast<int>(Step::measuring); ++i) {
    const auto step = static_cast<Step>(i);
    CHECK(step_named(name_of(step)) == step);
  }
}

TEST_CASE("answers of two models to the same questions are compared in pairs") {
  const PairedAnswers even{5, 5}, worse{10, 2}, same{0, 0};
  CHECK(even.p() == 1);
  CHECK(same.p() == 1);
  CHECK(same.difference_se(50) == 0);
  // scipy.stats.binomtest(2, 12).pvalue
  CHECK(worse.p() == doctest::Approx(0.03857421875));
  // sqrt(12 - 64 / 100) / 100
  CHECK(worse.difference_se(100) == doctest::Approx(0.0337046));
}
