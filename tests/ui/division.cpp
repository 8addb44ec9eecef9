#include "ui/models/division.h"

#include <doctest/doctest.h>

#include "example_run.h"
#include "ui/models/divided_histogram.h"

using namespace ladimo;
using namespace ladimo::ui;
using testing::example_run;
using Rule = Division::Rule;

TEST_CASE("a policy divides the experts' weights by a threshold, by rank, or not at all") {
  PolicyEditor editor(example_run({.not_converted = 3}));
  const auto of = [&](const LayerPolicy& policy) {
    editor.pin(2, policy);
    return division_of(editor, 2, {});
  };
  const LayerTable& ladder = editor.run().tradeoff->layers[2];
  const Division rung = of(ladder.candidates[4].policy);
  CHECK(rung.rule == Rule::threshold);
  CHECK(rung.edge == ladder.candidates[4].policy.threshold);
  CHECK(rung.running == doctest::Approx(30.8 / 48));
  CHECK(of(LayerPolicy::above(-0.02)).edge == -0.02);

  const Division twelve = of(LayerPolicy::top(12));
  CHECK(twelve.rule == Rule::strongest);
  CHECK(twelve.running == 0.25);
  const double experts = editor.price(2, LayerPolicy::above(twelve.edge)).policy.mean_experts;
  CHECK(experts == doctest::Approx(12).epsilon(0.02));
  CHECK(of(LayerPolicy::top(1)).edge > ladder.candidates[10].policy.threshold);  // beyond the ladder
  CHECK(of(LayerPolicy::top(0)).rule == Rule::none);
  CHECK(of(LayerPolicy::dense()).rule == Rule::unused);
  CHECK(division_of(editor, 3, {}).rule == Rule::unknown);
}

TEST_CASE("a policy divides the inputs of a product") {
  PolicyEditor editor(example_run({.not_converted = 3, .cuts = true}));
  LayerPolicy policy;
  policy.cut(Product::o).threshold = 0.1;
  editor.pin(3, policy);
  const Division division = division_of(editor, 3, Product::o);
  CHECK(division.rule == Rule::threshold);
  CHECK(division.edge == 0.1);
  CHECK(division.running == doctest::Approx(0.8));
  CHECK(division_of(editor, 3, Product::qkv).rule == Rule::all);
  CHECK(division_of(PolicyEditor(example_run()), 2, Product::qkv).rule == Rule::unknown);
}

TEST_CASE("what lies outside an axis is counted with what of it runs") {
  using Of = DividedHistogram::Of;
  HistogramCounts counts(histogram_bins + 2, 0);
  counts.front() = 40;
  counts[128] = 50;
  counts.back() = 10;
  const Division most{Rule::threshold, -0.1, 0.9};  // some of what lies below the bins runs
  const DividedHistogram all(counts, most, Of::all);
  CHECK(all.percent_of_bin(128) == 50);
  CHECK(all.below(histogram_low).percent == doctest::Approx(40));
  CHECK(all.below(histogram_low).running == doctest::Approx(30));
  CHECK(all.above(histogram_high).percent == doctest::Approx(10));
  CHECK(all.above(histogram_high).running == doctest::Approx(10));
  const DividedHistogram running(counts, most, Of::running);
  CHECK(running.below(histogram_low).percent == doctest::Approx(100 * 30.0 / 90));
  CHECK(running.percent_of_bin(128) == doctest::Approx(100 * 50.0 / 90));
  const DividedHistogram few(counts, {Rule::threshold, 1, 0.1}, Of::running);
  CHECK(few.percent_of_bin(128) == 0);
  CHECK(few.above(histogram_high).percent == doctest::Approx(100));
}
