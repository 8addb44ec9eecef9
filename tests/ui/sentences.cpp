#include "ui/models/sentences.h"

#include <doctest/doctest.h>
#include <QRegularExpression>

#include "base/machine.h"
#include "example_run.h"

using namespace ladimo;
using namespace ladimo::ui;
using testing::example_run;

TEST_CASE("policies are put into words") {
  CHECK(in_words(LayerPolicy::dense()) == "dense");
  CHECK(in_words(LayerPolicy::top(3)) == "top 3");
  CHECK(in_words(LayerPolicy::top(0)) == "shared experts only");
  CHECK(in_words(LayerPolicy::above(0.0312)) == "threshold 0.0312");
}

TEST_CASE("the run describes itself") {
  CHECK(description(*example_run({.not_converted = 2}))
            .startsWith("5 of 6 layers converted  ·  64 experts a layer, 16 of them shared"));
  CHECK(description(*example_run()).contains("99,840 tokens from stories-train.txt, books-train.txt"));
  auto show = testing::example_show();
  show["recipe"]["text"] = "self";
  show["recipe"]["text_fingerprints"] = nlohmann::json::array();
  CHECK(description(*testing::run_of(show)).contains("text that the model wrote itself"));
}

TEST_CASE("a layer's threshold is described with its consequence") {
  PolicyEditor editor(example_run({.not_converted = 3}));
  editor.pin(2, editor.run().tradeoff->layers[2].candidates[4].policy);
  CHECK(layer_title(editor, 2) == "Layer 2  ·  64 experts (16 shared)  ·  threshold 0.0227  ·  pinned");
  const QString threshold = layer_consequence(editor, 2);
  CHECK(threshold.startsWith("At τ = 0.0227: 30.8 of 48 routed experts on  ·  73.1 % of the neurons"));
  CHECK(threshold.contains("KL\u00a0+0.00342"));
  CHECK(threshold.contains(QString::fromUtf8("0.0340 → 0.0354 ms (predicted)")));
  editor.pin(2, LayerPolicy::top(12));
  CHECK(layer_consequence(editor, 2).startsWith("Top 12: 12.0 of 48"));
  editor.pin(2, LayerPolicy::top(0));
  CHECK(layer_consequence(editor, 2).startsWith("Shared experts only: 0 of 48"));
  editor.pin(2, LayerPolicy::dense());
  CHECK(layer_consequence(editor, 2).contains("stays dense"));
  CHECK(layer_consequence(editor, 3).contains("was not converted"));
  CHECK(layer_title(editor, 3) == "Layer 3  ·  not converted");
}

TEST_CASE("one sentence says whether the texts use the same experts") {
  LayerProfile layer;
  CHECK(stability_sentence(layer).isEmpty());
  layer.domain_load = {{0.1, 0.9}, {0.2, 0.8}};
  const std::pair<double, const char*> told[] = {
      {0.97, "All texts share the same experts (correlation 0.970)."},
      {0.6, "The texts share most experts"},
      {0.1, "Each text uses its own experts"},
      {-0.4, "The texts use different experts"}};
  for (const auto& [stability, sentence] : told) {
    layer.stability = stability;
    CHECK(stability_sentence(layer).startsWith(sentence));
  }
}

TEST_CASE("a degenerate router is named with what to change") {
  RunData run = *example_run();
  run.profile->layers[1].warnings = {{"Experts 3 and 7 never run.", "Choose fewer experts."},
                                     {"Expert 4 always runs.", "Share it."}};
  CHECK(router_warning(run, 0).isEmpty());
  CHECK(router_warning(run, 1) ==
        "Experts 3 and 7 never run. Choose fewer experts. Expert 4 always runs. Share it.");
}

TEST_CASE("the predicted sentence names the machine if its times come from another one") {
  auto show = testing::example_show();
  const PolicyEditor other(testing::run_of(show));
  const QString sentence = predicted_sentence(other);
  CHECK(sentence.startsWith("Predicted: KL "));
  CHECK(sentence.contains(
      QRegularExpression("perplexity \\+[0-9.]+ %  ·")));  // predicted for other text than is measured
  CHECK(sentence.contains("1.40 → "));
  CHECK(sentence.contains(QRegularExpression("ms per token decoding, [0-9.]+ % (faster|slower) than dense")));
  CHECK(sentence.contains("(times of Example processor)"));
  CHECK_FALSE(sentence.contains("<b>"));
  PolicyEditor all_dense(testing::run_of(show));
  all_dense.set_tradeoff(0);
  CHECK(predicted_sentence(all_dense).contains("ms per token decoding, same speed as dense"));
  show["latency"]["machine"] = processor_name();
  CHECK_FALSE(predicted_sentence(PolicyEditor(testing::run_of(show))).contains("times of"));
  show["latency"] = nullptr;
  CHECK_FALSE(predicted_sentence(PolicyEditor(testing::run_of(show))).contains("ms per token"));
}

TEST_CASE("the measured sentence is bold, has a date and gives the distance from the prediction") {
  Measurement found;
  found.date = "2026-11-23T12:00:00Z";
  found.machine = "Example processor";
  found.tokens = 12240;
  found.numbers.kl = 0.0211;
  found.numbers.perplexity = 21.6;
  found.numbers.activated_fraction = 0.8;
  found.dense_perplexity = 21.1;
  const QString above = measured_sentence(found, 0.02);
  CHECK(above.startsWith("<b>Measured: KL 0.0211"));
  CHECK(above.contains("perplexity 21.1 → 21.6 (+2.37 %)"));
  CHECK(above.contains("0.00110 above the prediction"));
  CHECK(above.contains("12,240 tokens"));
  CHECK(above.contains("November 2026"));
  CHECK(above.contains("Example processor"));
  CHECK(measured_sentence(found, 0.03).contains("below the prediction"));
  CHECK_FALSE(above.contains("ms"));
  found.numbers.decode_ms = 1.31;
  CHECK(measured_sentence(found, 0.03).contains("1.31 ms per token decoding</b>"));
}

TEST_CASE("times say where and when they were measured") {
  const QString source = times_source(testing::example_latency());
  CHECK(source.contains("Example processor, 2 threads, 23 November 2026"));
}

TEST_CASE("a sentence says why milliseconds cannot be the cost") {
  CHECK(why_no_milliseconds(PolicyEditor(example_run())).isEmpty());
  CHECK(why_no_milliseconds(PolicyEditor(example_run({.dense_ms = 0.005})))
            .contains("no policy decodes faster than dense on Example processor"));
  auto show = testing::example_show();
  show["latency"] = nullptr;
  CHECK(why_no_milliseconds(PolicyEditor(testing::run_of(show))).contains("nothing was measured"));
}
