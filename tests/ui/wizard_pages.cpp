#include <doctest/doctest.h>

#include <fstream>

#include <QApplication>
#include <QDir>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QRadioButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QToolButton>

#include "palettes.h"
#include "stand_in_engine.h"
#include "ui/plots/partition_picture.h"
#include "ui/wizard/conversion_wizard.h"
#include "ui/wizard/distillation_page.h"
#include "ui/wizard/window_view.h"
#include "wizard_support.h"

using namespace ladimo;
using namespace ladimo::ui;
using namespace ladimo::testing;

namespace {

QString words(const QWidget& widget) {
  QStringList seen;
  for (const auto* label : widget.findChildren<QLabel*>())
    if (label->isVisible()) seen << label->text();
  return seen.join('\n');
}

bool wait_for(const QWidget& widget, const char* text) {
  return QTest::qWaitFor([&] { return words(widget).contains(QLatin1String(text)); }, patience_ms);
}

template <class Widget>
Widget* part(const QWidget& widget, const char* name) {
  auto* found = widget.findChild<Widget*>(QLatin1String(name));
  REQUIRE(found != nullptr);
  return found;
}

QPushButton* button_called(const QWidget& widget, const QString& text) {
  for (auto* button : widget.findChildren<QPushButton*>())
    if (button->isVisible() && button->text() == text) return button;
  return nullptr;
}

void click_next(ConversionWizard& wizard) {
  auto* next = wizard.button(QWizard::NextButton);
  REQUIRE(QTest::qWaitFor([&] { return next->isEnabled(); }, patience_ms));
  next->click();
}

const std::string plan_json =
    R"({"steps":[{"name":"calibration text","description":"1,024 calibration tokens in 16 windows.","seconds":0.5,"done":false},)"
    R"({"name":"layers","description":"The FFNs of 3 of 3 layers become 16 experts each, 4 shared.","seconds":30,"done":false},)"
    R"({"name":"routing profile","description":"How the routing weights are distributed.","seconds":2,"done":false},)"
    R"({"name":"sensitivity","description":"What every candidate policy changes.","seconds":5,"done":false},)"
    R"({"name":"latency","description":"How long one FFN takes.","seconds":5,"done":false},)"
    R"({"name":"frontier","description":"Policies for all layers together.","seconds":5,"done":false}],)"
    R"("tokens":1024,"windows":16,"ram_bytes":500000000,"disk_bytes":2000000,"seconds":47.5,"partition":null,)"
    R"("problems":[],"recipe":{"experts":16,"shared":4,"layers":[0,1,2]}})";

std::string sample_json() {
  std::string cells;
  for (int i = 0; i < 48; ++i) cells += (i ? "," : "") + std::to_string(i % 4 - 1);
  return R"({"event":"sample","layer":0,"partition":[)" + cells + "]}";
}

/// Plans and samples like the engine; converts by playing a recorded stream up to a line, then does `then`.
StandInEngine playing(int lines, const std::string& then) {
  return StandInEngine("case \"$1\" in\nplan) case \"$*\" in *--sample*) echo '" + sample_json() +
                       "';; esac\n" + StandInEngine::finding(plan_json) + "\n;;\nconvert) head -n " +
                       std::to_string(lines) + " '" LADIMO_TEST_DATA "/events/conversion.jsonl'\n" + then +
                       "\n;;\nesac");
}
constexpr int middle = 70;      // in the distillation of the second layer
constexpr int whole = 1 << 20;  // all lines

/// A wizard of the ground's model and text, moved to the summary.
void go_to_summary(ConversionWizard& wizard, const WizardGround& ground) {
  wizard.show();
  wizard.set_model(ground.model());
  click_next(wizard);
  part<QRadioButton>(wizard, "text_own")->click();
  click_next(wizard);
  click_next(wizard);
}

void start_converting(ConversionWizard& wizard, const WizardGround& ground) {
  go_to_summary(wizard, ground);
  part<QLineEdit>(wizard, "run_folder")->setText(ground.text("run"));
  emit part<QLineEdit>(wizard, "run_folder")->textEdited(ground.text("run"));
  click_next(wizard);
}

void keep(QWidget& widget, const QString& name) {
  const QString pictures = qEnvironmentVariable("LADIMO_PICTURES");
  const QImage image = widget.grab().toImage();
  CHECK_FALSE(image.isNull());
  if (pictures.isEmpty()) return;
  QDir().mkpath(pictures);
  CHECK(image.save(pictures + '/' + name + ".png"));
}

}  // namespace

TEST_CASE("through all pages to the finished run") {
  const WizardGround ground;
  const StandInEngine engine = playing(whole, "");
  ConversionWizard wizard(engine.engine());
  QSignalSpy opened(&wizard, &ConversionWizard::run_finished);
  QSignalSpy started(&wizard, &ConversionWizard::conversion_started);
  start_converting(wizard, ground);
  CHECK(started.count() == 1);
  REQUIRE(wait_for(wizard, "Finished: 3 layers"));
  CHECK(started.at(0).at(0).toString() == ground.text("run"));
  CHECK(part<QProgressBar>(wizard, "progress")->value() == 1000);
  CHECK_FALSE(part<QPushButton>(wizard, "pause")->isVisible());
  CHECK(wizard.button(QWizard::FinishButton)->isEnabled());
  wizard.button(QWizard::FinishButton)->click();
  REQUIRE(opened.count() == 1);
  CHECK(opened.at(0).at(0).toString() == ground.text("run"));
}

TEST_CASE("pause keeps what is finished, continue goes on") {
  const WizardGround ground;
  const StandInEngine engine =
      playing(middle, "if [ -e \"$0.again\" ]; then tail -n +" + std::to_string(middle + 1) +
                          " '" LADIMO_TEST_DATA
                          "/events/conversion.jsonl'; exit 0; fi\n"
                          "touch \"$0.again\"; exec sleep 60");
  ConversionWizard wizard(engine.engine());
  start_converting(wizard, ground);
  auto* pause = part<QPushButton>(wizard, "pause");
  REQUIRE(wait_for(wizard, "of 3"));
  CHECK(wizard.busy());
  CHECK_FALSE(wizard.button(QWizard::FinishButton)->isEnabled());
  CHECK_FALSE(wizard.button(QWizard::BackButton)->isEnabled());
  pause->click();
  REQUIRE(wait_for(wizard, "Paused"));
  CHECK_FALSE(wizard.busy());
  CHECK(words(wizard).contains("kept in"));
  CHECK(pause->text() == "&Continue");
  pause->click();
  REQUIRE(wait_for(wizard, "Finished: 3 layers"));
}

TEST_CASE("leaving is never an accident: it asks, says what is kept, and the safe answer comes first") {
  const WizardGround ground;
  const StandInEngine engine = playing(middle, "exec sleep 60");
  ConversionWizard wizard(engine.engine());
  QSignalSpy rejected(&wizard, &QDialog::rejected);
  start_converting(wizard, ground);
  REQUIRE(wait_for(wizard, "of 3"));
  CHECK_FALSE(wizard.button(QWizard::CancelButton)->hasFocus());
  QTest::keyClick(&wizard, Qt::Key_Escape);
  REQUIRE(wait_for(wizard, "Stop the conversion"));
  CHECK(wizard.busy());
  button_called(wizard, "Keep converting")->click();
  CHECK(wizard.busy());
  CHECK(rejected.count() == 0);
  wizard.reject();
  button_called(wizard, "Stop and leave")->click();
  REQUIRE(QTest::qWaitFor([&] { return rejected.count() == 1; }, patience_ms));
  CHECK_FALSE(wizard.busy());
}

TEST_CASE("a failure says what happened, what to do, and may be tried again") {
  const WizardGround ground;
  const StandInEngine engine =
      playing(middle, StandInEngine::complaining("The disk is full.", "Free some space.", 1));
  ConversionWizard wizard(engine.engine());
  start_converting(wizard, ground);
  REQUIRE(wait_for(wizard, "The conversion failed"));
  CHECK(words(wizard).contains("The disk is full."));
  CHECK(words(wizard).contains("Free some space."));
  CHECK(part<QPushButton>(wizard, "pause")->text() == "&Try again");
  CHECK(wizard.button(QWizard::BackButton)->isEnabled());
}

TEST_CASE("a run that was interrupted waits to be continued") {
  const std::string show =
      R"({"recipe":{"model":"models/pico","experts":16,"shared":4,"layers":[0,1,2]},"layers":[],"profile":null,)"
      R"("tradeoff":null,"latency":null,"policy":null,"policies":{},"measurements":[]})";
  const StandInEngine engine("case \"$1\" in\nshow)\n" + StandInEngine::finding(show) + "\n;;\nplan)\n" +
                             StandInEngine::finding(plan_json) +
                             "\n;;\nconvert) cat '" LADIMO_TEST_DATA "/events/conversion.jsonl';;\nesac");
  const std::unique_ptr<ConversionWizard> wizard(ConversionWizard::resume(engine.engine(), "runs/a"));
  wizard->show();
  REQUIRE(wait_for(*wizard, "Ready to continue"));
  CHECK_FALSE(wizard->busy());
  CHECK_FALSE(wizard->button(QWizard::BackButton)->isEnabled());  // no page comes before
  part<QPushButton>(*wizard, "pause")->click();
  REQUIRE(wait_for(*wizard, "Finished: 3 layers"));

  const StandInEngine bad(StandInEngine::complaining("There is no run.", "Check the name.", 2));
  const std::unique_ptr<ConversionWizard> lost(ConversionWizard::resume(bad.engine(), "runs/a"));
  lost->show();
  REQUIRE(wait_for(*lost, "There is no run."));
}

// LADIMO_PICTURES=FOLDER keeps the pictures, to be looked at.
TEST_CASE("every page can be drawn, empty and full, light and dark") {
  const WizardGround ground;
  const StandInEngine whole_run = playing(whole, ""), part_run = playing(middle, "exec sleep 60"),
                      bad = playing(middle,
                                    StandInEngine::complaining("The disk is full.", "Free some space.", 1));
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? dark_palette() : light_palette());
    const QString tint = dark ? "-dark" : "-light";
    ConversionWizard wizard(whole_run.engine());
    wizard.resize(1000, 700);
    wizard.show();
    keep(wizard, "wizard-1-model-empty" + tint);
    wizard.set_model("/nowhere");
    REQUIRE(wait_for(wizard, "cannot be converted"));
    keep(wizard, "wizard-1-model-refused" + tint);
    const QString demo = QStringLiteral(LADIMO_DEMO);
    wizard.set_model(demo);
    REQUIRE(QTest::qWaitFor([&] { return wizard.button(QWizard::NextButton)->isEnabled(); }, patience_ms));
    QTest::qWait(300);
    keep(wizard, "wizard-1-model" + tint);
    click_next(wizard);
    keep(wizard, "wizard-2-text-empty" + tint);
    part<QLineEdit>(wizard, "text_path")->setText(ground.text("a.txt"));
    part<QPushButton>(wizard, "text_add")->click();
    REQUIRE(wait_for(wizard, "too few tokens"));
    keep(wizard, "wizard-2-text-refused" + tint);
    part<QRadioButton>(wizard, "text_own")->click();
    click_next(wizard);
    QTest::qWait(200);
    keep(wizard, "wizard-3-experts-self" + tint);
    part<QToolButton>(wizard, "advanced")->click();
    QTest::qWait(100);
    keep(wizard, "wizard-3-experts-advanced" + tint);
    wizard.back();
    part<QRadioButton>(wizard, "text_from_files")->click();
    part<QSpinBox>(wizard, "tokens")->setValue(2048);
    part<QSpinBox>(wizard, "held_out")->setValue(1024);
    REQUIRE(wait_for(wizard, "to distil the experts on"));
    keep(wizard, "wizard-2-text" + tint);
    click_next(wizard);
    REQUIRE(QTest::qWaitFor([&] { return !part<PartitionPicture>(wizard, "partition")->partition().empty(); },
                            patience_ms));
    QTest::qWait(100);
    keep(wizard, "wizard-3-experts" + tint);
    click_next(wizard);
    REQUIRE(QTest::qWaitFor([&] { return wizard.button(QWizard::NextButton)->isEnabled(); }, patience_ms));
    keep(wizard, "wizard-4-summary" + tint);
    click_next(wizard);
    REQUIRE(wait_for(wizard, "Finished: 3 layers"));
    QTest::qWait(100);
    keep(wizard, "wizard-5-finished" + tint);

    ConversionWizard running(part_run.engine());
    running.resize(1000, 700);
    start_converting(running, ground);
    REQUIRE(wait_for(running, "of 3"));
    QTest::qWait(500);
    keep(running, "wizard-5-running" + tint);
    running.reject();
    QTest::qWait(50);
    keep(running, "wizard-5-leaving" + tint);
    ConversionWizard failed(bad.engine());
    failed.resize(1000, 700);
    start_converting(failed, ground);
    REQUIRE(wait_for(failed, "The conversion failed"));
    keep(failed, "wizard-5-failed" + tint);
  }
  QApplication::setPalette(QPalette());
}
