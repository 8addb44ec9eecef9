// No event holds the window's thread for longer than 50 ms of processor time while a conversion reports.
#include <cmath>
#include <fstream>

#include <doctest/doctest.h>

#include <QSignalSpy>
#include <QWizard>

#include "policy/histogram.h"
#include "run/event_json.h"
#include "stand_in_engine.h"
#include "support/event_clock.h"
#include "ui/wizard/conversion_job.h"
#include "ui/wizard/distillation_page.h"

using namespace ladimo;
using ladimo::testing::EventClock;

namespace {

constexpr int layers = 32;
constexpr int patience_ms = 60000;
constexpr double allowed_ms = 50;

HistogramEvent histogram_of(int layer, int part) {
  HistogramEvent event{layer, std::vector<std::int64_t>(histogram_bins + 2), std::vector<double>(48)};
  for (std::size_t bin = 0; bin < event.counts.size(); ++bin)
    event.counts[bin] = std::llround(1000.0 * (part + 1) * std::exp(-std::pow((double(bin) - 120) / 30, 2)));
  for (std::size_t expert = 0; expert < event.expert_load.size(); ++expert)
    event.expert_load[expert] = 0.5 + 0.4 * std::sin(double(expert) + layer);
  return event;
}

/// Writes the events of a conversion of a model of 32 layers to one file.
void write_stream(const std::filesystem::path& path) {
  std::ofstream file(path);
  const auto say = [&](const Event& event) { file << to_json_line(event) << '\n'; };
  say(StepEvent{"layers", 0, 1});
  for (int layer = 0; layer < layers; ++layer) {
    for (int part = 0; part < 40; ++part) {
      say(ProgressEvent{layer, part, 40, 40.0 - part, part < 10 ? "refit" : "distillation"});
      say(LossEvent{layer, part, 0.2 / (part + 1), false});
      if (part % 10 == 9) say(LossEvent{layer, part, 0.21 / (part + 1), true});
      if (part % 5 == 0) say(histogram_of(layer, part));
    }
    say(LayerEvent{layer, 0.1, 0.02, 4});
  }
  say(ResultEvent{R"({"seconds": 128})"});
}

}  // namespace

TEST_CASE("no event of a conversion holds the window for long") {
  const testing::TemporaryFolder folder;
  write_stream(folder / "events.jsonl");
  const testing::StandInEngine engine("cat " + (folder / "events.jsonl").string());
  ui::ConversionJob job(engine.engine());
  std::vector<int> all;
  for (int layer = 0; layer < layers; ++layer) all.push_back(layer);
  job.prepare({"convert"}, "some/run", ui::ConversionState({{Step::layers, "Converting", 128, false}}, all));
  QWizard wizard;
  wizard.addPage(new ui::DistillationPage(job));
  wizard.show();
  QSignalSpy finished(&job, &ui::ConversionJob::finished);
  auto& clock = EventClock::of_this_program();
  QCoreApplication::processEvents();
  clock.restart();
  job.start();
  REQUIRE((finished.count() > 0 || finished.wait(patience_ms)));
  QCoreApplication::processEvents();
  CHECK(job.state().finished_layers() == layers);
  MESSAGE("longest event: " << clock.longest().ms << " ms, " << clock.longest().what.toStdString());
  CHECK_MESSAGE(clock.longest().ms < allowed_ms, clock.longest().what.toStdString());
}
