// The whole window with the real engine: start page, wizard, slider, measurement, export, and opening the
// export.
#include <filesystem>

#include <doctest/doctest.h>

#include <QLabel>
#include <QRadioButton>
#include <QSettings>
#include <QSlider>
#include <QTableView>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "opened_run.h"
#include "support/calibration_text.h"
#include "support/pico_model.h"
#include "support/temporary_folder.h"
#include "support/window_walk.h"
#include "ui/mainwindow/card.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/panels/export_panel.h"
#include "ui/wizard/conversion_wizard.h"

using namespace ladimo;
using namespace ladimo::testing;

namespace {

constexpr int conversion_ms = 240000;

QString text_of(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

void convert(ui::MainWindow& window, const TemporaryFolder& folder) {
  click(seen<ui::Card>(window, "new conversion"));
  auto& wizard = seen<ui::ConversionWizard>(window, "conversion_wizard");
  enter(window, "model_folder", text_of(folder / "pico"));
  go_on(wizard);
  click(seen<QRadioButton>(window, "text_from_files"));
  enter(window, "text_path", text_of(folder / "text.txt"));
  choose(window, "tokens", 2000);
  choose(window, "held_out", 512);
  go_on(wizard);
  choose(window, "experts", 6);
  choose(window, "shared", 2);
  click(seen<QAbstractButton>(window, "advanced"));
  choose(window, "window", 32);
  choose(window, "epochs", 1);
  go_on(wizard);
  type(window, "run_folder", text_of(folder / "run"));
  go_on(wizard);
  go_on(wizard, QWizard::FinishButton, conversion_ms);
}

}  // namespace

TEST_CASE("from the start page to an exported model, and back") {
  if (!std::filesystem::exists(LADIMO_ENGINE)) {
    MESSAGE("skipped: there is no engine " << LADIMO_ENGINE);
    return;
  }
  QSettings().clear();
  const TemporaryFolder folder;
  write_pico_model(folder / "pico");
  write_text(folder / "text.txt", 120);
  ui::MainWindow window(ui::Engine{QStringLiteral(LADIMO_ENGINE), {}});
  window.show();
  convert(window, folder);

  auto& slider = seen<QSlider>(window, "tradeoff");
  slider.setFocus();
  const QString before = seen<QLabel>(window, "predicted_sentence").text();
  QTest::keyClick(&slider, Qt::Key_End);
  CHECK(QTest::qWaitFor([&] { return seen<QLabel>(window, "predicted_sentence").text() != before; }));
  click(seen<QAbstractButton>(window, "measure"));
  REQUIRE(QTest::qWaitFor(
      [&] { return window.findChild<QLabel*>("measured_sentence")->text().contains("<b>"); }, conversion_ms));

  auto& run = seen<ui::RunPages>(window, "run view");
  run.show_step(ui::RunPages::export_model);
  auto& panel = seen<ui::ExportPanel>(window, "export_panel");
  panel.save_policy_file(text_of(folder / "policy.json"));
  CHECK(read_json(folder / "policy.json")["layers"].size() == 2);
  panel.write_model(text_of(folder / "exported"));
  REQUIRE(QTest::qWaitFor([&] { return std::filesystem::exists(folder / "exported" / "report.json"); },
                          conversion_ms));
  REQUIRE(QTest::qWaitFor([&] { return !run.busy(); }, conversion_ms));

  auto& formats = seen<QTableView>(window, "formats");
  auto& write = seen<QAbstractButton>(window, "write_model");
  REQUIRE(
      QTest::qWaitFor([&] { return formats.model()->rowCount() == 9 && write.isEnabled(); }, conversion_ms));
  for (int row = 0; row < formats.model()->rowCount(); ++row)
    if (formats.model()->index(row, 0).data().toString() == "Mixtral · GGUF") formats.selectRow(row);
  REQUIRE(write.isEnabled());
  panel.write_model(text_of(folder / "exported.gguf"));
  REQUIRE(QTest::qWaitFor([&] { return !run.busy(); }, conversion_ms));
  const QString said = panel.findChild<QWidget*>("write_notice")->findChild<QLabel*>("notice")->text();
  CHECK_MESSAGE(said.startsWith("Exported to "), said.toStdString());
  CHECK(std::filesystem::exists(folder / "exported.gguf"));
  window.resize(1280, 860);
  testing::keep_picture(window, "export-real");

  // A policy file elsewhere does not save the run's policy, so leaving would ask.
  CHECK(run.unsaved());
  click(seen<QAbstractButton>(window, "save_as_run_policy"));
  REQUIRE(QTest::qWaitFor([&] { return !run.unsaved(); }, conversion_ms));
  CHECK(read_json(folder / "run" / "policy.json")["layers"] == read_json(folder / "policy.json")["layers"]);

  window.show_start();
  window.open(text_of(folder / "run"));
  seen<QSlider>(window, "tradeoff");
  CHECK(read_json(folder / "run" / "measurements.json").size() == 1);
  window.open(text_of(folder / "exported"));
  seen<QWidget>(window, "Model card");
}
