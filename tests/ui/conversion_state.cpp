#include "ui/wizard/conversion_state.h"

#include <doctest/doctest.h>

#include <fstream>

#include <QAbstractItemModelTester>

#include "run/event_json.h"
#include "ui/wizard/layer_progress_model.h"

using namespace ladimo;
using namespace ladimo::ui;
using TesterMode = QAbstractItemModelTester::FailureReportingMode;

namespace {

std::vector<PlanStep> example_steps() {
  return {{Step::calibration_text, "Text.", 1, false},   {Step::layers, "Layers.", 30, false},
          {Step::finish, "Together.", 9, false},         {Step::routing_profile, "Profile.", 2, false},
          {Step::sensitivity, "Sensitivity.", 5, false}, {Step::latency, "Latency.", 5, false},
          {Step::frontier, "Frontier.", 5, false}};
}

/// The events that the engine sent during a conversion of three layers of the demo model.
std::vector<Event> recorded() {
  std::vector<Event> events;
  std::ifstream in(LADIMO_TEST_DATA "/events/conversion.jsonl");
  for (std::string line; std::getline(in, line);) events.push_back(parse_event(line));
  REQUIRE(events.size() > 100);
  return events;
}

}  // namespace

TEST_CASE("the state follows a recorded conversion from the first event to the last") {
  ConversionState state(example_steps(), {0, 1, 2});
  StepListModel steps(false);
  LayerProgressModel layers;
  const QAbstractItemModelTester step_tester(&steps, TesterMode::Fatal);
  const QAbstractItemModelTester layer_tester(&layers, TesterMode::Fatal);
  CHECK(state.sentence(0).isEmpty());
  state.start(0);
  CHECK(state.sentence(0).contains("checking it again"));
  double now = 0, share = 0;
  for (const Event& event : recorded()) {
    state.apply(event, now += 0.25);
    steps.set_steps(state.steps(now));
    layers.set_layers(state.layers());
    CHECK(state.share(now) >= share);
    share = state.share(now);
    CHECK_FALSE(state.sentence(now).isEmpty());
    CHECK(state.seconds_left(now) >= 0);
  }
  state.stop(now, true);
  CHECK(state.share(now) == doctest::Approx(1));
  CHECK(state.seconds_left(now) == doctest::Approx(0));
  CHECK(state.seconds_spent(now + 100) == doctest::Approx(now));
  CHECK(state.finished_layers() == 3);
  for (const LayerState& layer : state.layers()) {
    CAPTURE(layer.layer);
    CHECK(*layer.loss_after < *layer.loss_before);
    CHECK(layer.held_out.size() >= 2);
    CHECK_FALSE(layer.training.empty());
    CHECK(layer.counts.size() == histogram_bins + 2);
    CHECK(layer.expert_load.size() == 12);
    CHECK(layer.seconds > 0);
  }
  for (const StepState& step : state.steps(now)) CHECK(step.status == StepState::Status::done);
  CHECK(state.log().join('\n').contains("Layer 2: loss 0.141 → 0.112 in 41 s"));
  CHECK(state.warnings().isEmpty());
  CHECK(layers.index(0, LayerProgressModel::status).data().toString() == "finished");
}

TEST_CASE("the sentence says what is done, how far it is and how long it takes") {
  ConversionState state(example_steps(), {0, 1, 2});
  state.start(0);
  state.apply(StepEvent{"layers", 1, 7}, 1);
  CHECK(state.current_layer() == -1);
  state.apply(ProgressEvent{1, 0, 1, -1, "router"}, 1);
  CHECK(state.sentence(4) == "Layer 1 · 1 of 3 · fitting the router · 3.0 s of about 10 s");
  state.apply(LossEvent{1, 0, 0.2, true}, 5);
  CHECK(state.sentence(5).contains("distilling"));
  CHECK(state.layer(1)->held_out.size() == 1);
  state.apply(LayerEvent{1, 0.2, 0.1, 6}, 7);
  CHECK(state.sentence(7).contains("1 of 3 finished"));
  state.apply(ProgressEvent{2, 0, 1, -1, "partition"}, 7);
  CHECK(state.sentence(8).contains("about 6.0 s"));  // expected to take as long as the layer before
  state.apply(StepEvent{"sensitivity", 4, 7}, 20);
  state.apply(ProgressEvent{-1, 30, 120, 3, {}}, 21);
  CHECK(state.sentence(22) == "Sensitivity · 25 % · 2.0 s of about 8.0 s");
  state.apply(WarningEvent{"Few tokens.", "Give more."}, 22);
  CHECK(state.warnings() == QStringList{"Few tokens. Give more."});
  state.apply(HistogramEvent{9, {}, {}}, 23);  // a layer that nobody asked for changes nothing
  CHECK(state.layer(9) == nullptr);
}

TEST_CASE("a pause keeps finished layers, and continuing starts the layer in progress again") {
  ConversionState state(example_steps(), {0, 1});
  state.start(0);
  state.apply(StepEvent{"calibration text", 0, 7}, 0);
  state.apply(StepEvent{"layers", 1, 7}, 1);
  state.apply(LossEvent{0, 0, 0.3, true}, 2);
  state.apply(LayerEvent{0, 0.3, 0.2, 9}, 10);
  state.apply(LossEvent{1, 0, 0.3, true}, 12);
  state.stop(15, false);
  CHECK(state.layer(1)->status == LayerState::Status::waiting);
  CHECK(state.layer(0)->status == LayerState::Status::done);
  CHECK(state.steps(99)[0].status == StepState::Status::done);
  CHECK(state.steps(99)[1].status == StepState::Status::waiting);
  CHECK(state.steps(99)[1].plan.seconds ==
        doctest::Approx(example_steps()[1].seconds / 2));  // one of two layers
  CHECK(state.seconds_spent(99) == 15);
  state.start(100);
  state.apply(StepEvent{"calibration text", 0, 7}, 100);
  state.apply(StepEvent{"layers", 1, 7}, 101);
  state.apply(LossEvent{1, 0, 0.4, true}, 102);
  CHECK(state.layer(1)->held_out.size() == 1);
  CHECK(state.seconds_spent(105) == 20);
  CHECK(state.finished_layers() == 1);
}

TEST_CASE("a run that is resumed begins with the layers it holds") {
  LayerRecord record;
  record.layer = 0;
  record.loss_before = 0.4;
  record.loss_after = 0.3;
  ConversionState state(example_steps(), {0, 1}, {record});
  CHECK(state.finished_layers() == 1);
  CHECK(*state.layer(0)->loss_after == 0.3);
  CHECK(state.share(0) == 0);  // the share of what was left when the run was resumed
  state.start(0);
  state.apply(StepEvent{"layers", 1, 7}, 0);
  state.apply(ProgressEvent{1, 0, 1, -1, "partition"}, 0);
  CHECK(state.sentence(1).contains("2 of 2"));
}

TEST_CASE("reading a run again before it goes on does not change the time that is left") {
  ConversionState resumed(example_steps(), {0, 1});
  resumed.start(0);
  const double at_first = resumed.seconds_left(0);
  CHECK(at_first == doctest::Approx(57));  // as planned
  CHECK(resumed.seconds_left(100) == doctest::Approx(at_first));
  resumed.apply(StepEvent{"layers", 1, 7}, 100);
  CHECK(resumed.seconds_left(100) == doctest::Approx(at_first));
}

TEST_CASE("after a pause the time that is left follows from the pace before it") {
  ConversionState state(example_steps(), {0, 1});
  state.start(0);
  state.apply(StepEvent{"calibration text", 0, 7}, 0);
  state.apply(StepEvent{"layers", 1, 7}, 2);
  state.apply(ProgressEvent{0, 0, 1, -1, "partition"}, 2);
  state.apply(LayerEvent{0, 0.3, 0.2, 30}, 32);  // half of the plan's pace
  const double before = state.seconds_left(32);
  CHECK(before > 57);
  state.stop(33, false);
  state.start(1000);
  CHECK(state.seconds_left(1060) == doctest::Approx(before).epsilon(0.05));
  state.apply(StepEvent{"calibration text", 0, 7}, 1060);
  CHECK(state.seconds_left(1060) == doctest::Approx(before).epsilon(0.05));
  state.apply(StepEvent{"layers", 1, 7}, 1061);
  state.apply(ProgressEvent{1, 0, 1, -1, "partition"}, 1061);
  CHECK(state.seconds_left(1061) == doctest::Approx(before).epsilon(0.1));
}
