#include "ui/mainwindow/main_window.h"

#include <doctest/doctest.h>

#include <QAction>
#include <QApplication>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QSlider>
#include <QTest>
#include <QToolButton>
#include <QUndoStack>
#include <QUrl>

#include "base/files.h"
#include "example_run.h"
#include "palettes.h"
#include "stand_in_engine.h"
#include "support/pico_model.h"
#include "ui/mainwindow/card.h"
#include "ui/mainwindow/message_bar.h"
#include "ui/mainwindow/run_view.h"
#include "ui/settings/settings.h"
#include "ui/wizard/conversion_wizard.h"

using namespace ladimo;
using ladimo::testing::StandInEngine;
using ui::MainWindow;

namespace {

constexpr int patience_ms = 20000;

/// `show` finds the run; `serve` loads and never answers.
std::string opening(const nlohmann::json& run) {
  return "case $1 in\nserve) echo '{\"event\":\"ready\"}'; exec sleep 60 ;;\nesac\n" +
         StandInEngine::finding(run.dump());
}

/// All words that can be seen, one after the other.
QString words(const QWidget& window) {
  QStringList seen;
  for (const auto* label : window.findChildren<QLabel*>())
    if (label->isVisible()) seen << label->text();
  for (const auto* card : window.findChildren<ui::Card*>())
    if (card->isVisible()) seen << card->text() + ": " + card->accessibleDescription();
  return seen.join('\n');
}

bool wait_for(const QWidget& window, const char* text) {
  return QTest::qWaitFor([&] { return words(window).contains(text); }, patience_ms);
}

/// Until the workspace is there.
void wait_until_open(const QWidget& window) {
  REQUIRE(QTest::qWaitFor([&] { return window.findChild<QSlider*>("tradeoff") != nullptr; }, patience_ms));
}

QPushButton* button(const QWidget& window, const char* text) {
  for (auto* found : window.findChildren<QPushButton*>())
    if (found->isVisible() && found->text() == text) return found;
  return nullptr;
}

void drop(QWidget& window, const QUrl& url) {
  QMimeData data;
  data.setUrls({url});
  QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &enter);
  CHECK(enter.isAccepted());
  QDropEvent event({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window, &event);
}

QString path_of(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

}  // namespace

TEST_CASE("the start page says what can be done, and what was open last") {
  QSettings().clear();
  MainWindow window(ui::Engine{"/nonexistent/ladimo", {}});
  window.show();
  for (const char* beginning : {"New conversion:", "Open a run:", "Open a model:"})
    CHECK(words(window).contains(beginning));
  CHECK(words(window).contains("appear here"));
  CHECK(words(window).contains("on this machine"));
  remember_recent(ui::keys::recent_runs, "/some/calm run", {});
  window.show_start();
  CHECK(wait_for(window, "calm run: Run · /some/calm run"));
  CHECK_FALSE(words(window).contains("appear here"));
}

TEST_CASE("a run is read and opens in its workspace") {
  QSettings().clear();
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  CHECK(words(window).contains("Reading run"));
  wait_until_open(window);
  CHECK(window.windowTitle().startsWith(QString::fromUtf8("tiny-stories · run")));
  CHECK(ui::recent(ui::keys::recent_runs, {}).first() == "/some/run");
}

TEST_CASE("the breadcrumb leads to every step") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  const struct {
    const char* step;
    const char* words;
  } rows[] = {{"Model", "models/tiny-stories"},
              {"Text", "99,840"},
              {"Experts", "Routed"},
              {"Distil", "held back"},
              {"Evaluate", ""},
              {"Export", ""},
              {"Policy", ""}};
  auto* view = window.findChild<ui::RunView*>();
  for (const auto& row : rows) {
    CAPTURE(row.step);
    for (auto* step : window.findChildren<QToolButton*>())
      if (step->text() == row.step && step->isCheckable()) step->click();
    CHECK(ui::RunView::step_names()[view->current_step()] == row.step);
    CHECK(words(window).contains(row.words));
  }
}

TEST_CASE("undo takes back a move of the slider") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  auto* slider = window.findChild<QSlider*>("tradeoff");
  const int before = slider->value();
  slider->setFocus();
  QTest::keyClick(slider, Qt::Key_Home);
  REQUIRE(slider->value() != before);
  auto* undo = window.findChild<ui::RunView*>()->undo_stack();
  REQUIRE(QTest::qWaitFor([&] { return undo->canUndo(); }, patience_ms));
  undo->undo();
  CHECK(slider->value() == before);
}

TEST_CASE("a run that cannot be read is a sentence, not an accident") {
  const struct {
    std::string script;
    const char* sentence;
  } rows[] = {
      {StandInEngine::complaining("There is no run here.", "", 2), "There is no run here."},
      {"kill -KILL $$", "memory"},
      {StandInEngine::finding(R"({"recipe": 1})"), "recipe"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.sentence);
    const StandInEngine engine(row.script);
    MainWindow window(engine.engine());
    window.show();
    window.open_run("/some/run");
    REQUIRE(wait_for(window, "run could not be opened"));
    CHECK(words(window).contains(row.sentence));
  }
}

TEST_CASE("reading can be stopped, and another run opened meanwhile") {
  const StandInEngine engine("exec sleep 60");
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/first");
  window.open_run("/second");
  CHECK(words(window).contains("Reading second"));
  QTest::mouseClick(button(window, "Stop"), Qt::LeftButton);
  REQUIRE(wait_for(window, "second was not opened"));
}

TEST_CASE("a run that is not finished can be continued") {
  nlohmann::json run = testing::example_show();
  for (const char* table : {"profile", "tradeoff", "latency", "policy"}) run[table] = nullptr;
  run["layers"].erase(run["layers"].begin() + 2, run["layers"].end());
  const StandInEngine engine(opening(run));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  REQUIRE(wait_for(window, "This run is not finished"));
  CHECK(words(window).contains("2 of 6 layers are converted"));
  QTest::mouseClick(button(window, "Continue the conversion…"), Qt::LeftButton);
  CHECK(window.findChild<ui::ConversionWizard*>()->isVisible());
}

TEST_CASE("a folder is opened as what it is, also when it is dropped") {
  const StandInEngine engine(StandInEngine::complaining("Seen.", "", 2));
  const testing::TemporaryFolder folder;
  const auto run = folder / "run", model = folder / "model", exported = folder / "exported",
             other = folder / "other";
  for (const auto& path : {run, model, exported, other}) std::filesystem::create_directories(path);
  write_json(run / "recipe.json", {{"experts", 64}});
  testing::write_pico_model(model);
  write_json(exported / "config.json", {{"model_type", "ladimo"}});
  std::ofstream(exported / "README.md") << "---\nlicense: x\n---\n# A calm model\n";
  std::ofstream(other / "holiday.txt") << "sun";
  MainWindow window(engine.engine());
  window.show();

  drop(window, QUrl::fromLocalFile(path_of(run)));
  CHECK(wait_for(window, "run could not be opened"));
  drop(window, QUrl::fromLocalFile(path_of(run / "recipe.json")));
  CHECK(wait_for(window, "run could not be opened"));
  drop(window, QUrl::fromLocalFile(path_of(exported)));
  CHECK(wait_for(window, "An exported model"));
  drop(window, QUrl::fromLocalFile(path_of(other)));
  CHECK(wait_for(window, "is neither a run nor a model"));
  window.open(path_of(folder / "gone"));
  CHECK(wait_for(window, "There is no folder"));
  drop(window, QUrl::fromLocalFile(path_of(model)));
  REQUIRE(window.findChild<ui::ConversionWizard*>());
  CHECK(window.findChild<QLineEdit*>("model_folder")->text() == path_of(model));
}

TEST_CASE("closing the window while the engine works asks in the window, and says what is kept") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  QTest::mouseClick(window.findChild<QPushButton*>("measure"), Qt::LeftButton);
  CHECK(window.findChild<ui::RunView*>()->busy());
  CHECK_FALSE(window.close());
  CHECK(words(window).contains("still at work"));
  CHECK(words(window).contains("is kept"));
  CHECK(button(window, "Stay")->hasFocus());
  QTest::mouseClick(button(window, "Stay"), Qt::LeftButton);
  CHECK(window.isVisible());
  CHECK_FALSE(window.close());
  QTest::mouseClick(button(window, "Stop and leave"), Qt::LeftButton);
  CHECK(QTest::qWaitFor([&] { return !window.isVisible(); }, patience_ms));
}

TEST_CASE("start page and messages are light or dark as the palette is") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const StandInEngine slow("exec sleep 60");
    MainWindow empty(slow.engine()), loading(slow.engine());
    loading.open_run("/some/run");
    for (MainWindow* window : {&empty, &loading}) {
      window->show();
      const QImage image = window->grab().toImage();
      CHECK((image.pixelColor(3, image.height() / 2).lightness() < 128) == dark);
    }
  }
  QApplication::setPalette(QPalette());
}
