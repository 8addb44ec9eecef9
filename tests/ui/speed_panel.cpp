#include "ui/panels/speed_panel.h"

#include <doctest/doctest.h>

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QLabel>
#include <QPushButton>
#include <QTableView>

#include "opened_run.h"
#include "palettes.h"
#include "run/bench_result.h"
#include "ui/models/speed_model.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::OpenedRun;
using ladimo::testing::wait_until;
using namespace ladimo::ui;

namespace {

BenchResult example_bench() {
  BenchResult bench;
  bench.decode = {80, 104, 512, 0.02};
  bench.prefill = {1000, 1010, 4096, 0.03};
  bench.predicted_decode_ms = 9.5;
  bench.bytes_per_token = 3e8;
  bench.bandwidth_fraction = 0.6;
  bench.read_bytes_per_s = 2e10;
  bench.dtype = "bfloat16";
  bench.threads = 2;
  bench.machine = "Example processor";
  bench.date = "2026-11-23T12:00:00Z";
  return bench;
}

std::string answering() {
  return R"sh(*bench*) echo "$line" > "$0.asked"; echo '{"event":"result",)sh" +
         testing::members(to_json(example_bench())) + R"sh(,"id":'$id'}' ;;)sh";
}
const std::string stoppable = R"sh(
    *cancel*) echo '{"event":"error","message":"Canceled.","hint":"","path":"","canceled":true,"id":1}' ;;
    *bench*) echo '{"event":"progress","layer":-1,"done":1,"total":4,"eta_s":9,"id":'$id'}' ;;)sh";

struct Shown : OpenedRun {
  explicit Shown(const std::string& answers) : OpenedRun(answers), panel(editor, serve) {
    panel.resize(1000, 500);
    panel.show();
  }
  QPushButton& button() { return child<QPushButton>(panel, "measure_speed"); }
  QString words() { return child<QLabel>(panel, "speed_words").text(); }
  SpeedPanel panel;
};

}  // namespace

TEST_CASE("both models are timed under the chosen policy, and the table tells how far the times spread") {
  Shown shown(answering());
  CHECK(shown.words().contains("interleaved"));
  shown.editor.set_tradeoff(0.9);
  shown.button().click();
  CHECK(shown.button().text() == "&Cancel");
  REQUIRE(wait_until([&] { return shown.words().contains("Decoding"); }));
  const auto asked = read_json(std::filesystem::path(shown.engine.engine().program.toStdString() + ".asked"));
  CHECK(same_choice(policy_from_json(asked["policy"]), shown.editor.policy()));
  const auto& table = *child<QTableView>(shown.panel, "speeds").model();
  CHECK(table.index(0, SpeedModel::dense).data() == "80.0");
  CHECK(table.index(0, SpeedModel::converted).data() == "104");
  CHECK(table.index(0, SpeedModel::ratio).data() == "1.30");
  CHECK(table.index(0, SpeedModel::spread).data() == "2.00");
  CHECK(table.index(1, SpeedModel::work).data() == "Prompt");
  CHECK(
      shown.words().contains("Decoding: the converted model is faster, 1.30 times as fast (± 2.00 % each)."));
  CHECK(shown.words().contains("Prompt: the difference is within the noise"));
  CHECK(shown.words().contains("Example processor"));
  CHECK_FALSE(shown.words().contains("Not measured with the current policy"));
  shown.editor.commit();
  shown.editor.set_tradeoff(0.2);
  CHECK(shown.words().contains("Not measured with the current policy"));
  shown.editor.undo().undo();
  CHECK_FALSE(shown.words().contains("Not measured with the current policy"));
}

TEST_CASE("timing can be stopped, and then says so") {
  Shown shown(stoppable);
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.panel.findChild<QWidget*>() && shown.serve.loaded(); }));
  shown.button().click();
  REQUIRE(wait_until([&] { return shown.button().text() == "Measure &speed"; }));
  CHECK(shown.words().contains("appears here"));
}

TEST_CASE("the table of speeds passes Qt's model tester") {
  SpeedModel model;
  const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model.set_result(example_bench());
  CHECK(model.rowCount() == 2);
  BenchResult alone = example_bench();
  alone.decode.dense_tokens_per_s.reset();
  model.set_result(alone);
  CHECK(model.index(0, SpeedModel::ratio).data() == "–");
  CHECK_FALSE(speed_in_words(alone).contains("Decoding:"));
  model.set_result({});
  CHECK(model.rowCount() == 0);
}

TEST_CASE("the speed panel can be drawn") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    Shown shown(answering());
    testing::keep_picture(shown.panel, "speed-empty-" + tint);
    shown.button().click();
    REQUIRE(wait_until([&] { return shown.words().contains("Decoding"); }));
    testing::keep_picture(shown.panel, "speed-" + tint);
  }
  QApplication::setPalette(QPalette());
}
