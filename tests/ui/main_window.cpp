#include "ui/mainwindow/main_window.h"

#include <doctest/doctest.h>

#include <QAction>
#include <QApplication>
#include <QDialog>
#include <QDoubleSpinBox>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QSettings>
#include <QSlider>
#include <QTabWidget>
#include <QTest>
#include <QTextBrowser>
#include <QToolButton>
#include <QUndoStack>
#include <QUrl>

#include <qcustomplot.h>

#include "base/files.h"
#include "example_run.h"
#include "opened_run.h"
#include "palettes.h"
#include "stand_in_engine.h"
#include "support/pico_model.h"
#include "ui/mainwindow/card.h"
#include "ui/mainwindow/run_comparison_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/settings/demo.h"
#include "ui/settings/settings.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/table_actions.h"
#include "ui/wizard/conversion_wizard.h"
#include "wizard_support.h"

using namespace ladimo;
using ladimo::testing::StandInEngine;
using ui::MainWindow;

namespace {

constexpr int patience_ms = 20000;

/// A stand-in engine: `show` prints the run; `serve` loads and never answers.
std::string opening(const nlohmann::json& run) {
  return "case $1 in\nserve) echo '{\"event\":\"ready\"}'; exec sleep 60 ;;\nesac\n" +
         StandInEngine::finding(run.dump());
}

/// All visible text of the window.
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

/// Waits until the workspace is shown.
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

TEST_CASE("the start page shows what can be done, and what was opened last") {
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
              {"Distil", "validation"},
              {"Evaluate", ""},
              {"Export", ""},
              {"Policy", ""}};
  auto* view = window.findChild<ui::RunPages*>();
  for (const auto& row : rows) {
    CAPTURE(row.step);
    for (auto* step : window.findChildren<QToolButton*>())
      if (step->text() == row.step && step->isCheckable()) step->click();
    CHECK(ui::RunPages::step_names()[view->current_step()] == row.step);
    CHECK(words(window).contains(row.words));
  }
}

TEST_CASE("a table of the run that cannot be saved says why") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  window.findChild<ui::RunPages*>()->show_step(ui::RunPages::distil);
  ui::TableActions* actions = nullptr;
  for (auto* found : window.findChildren<ui::TableActions*>())
    if (static_cast<QWidget*>(found->parent())->isVisible()) actions = found;
  REQUIRE(actions);
  actions->save("/nonexistent/losses.csv");
  CHECK(words(window).contains("could not be saved"));
}

TEST_CASE("text that the model wrote itself is shown with the run's text") {
  nlohmann::json show = testing::example_show();
  show["recipe"]["text"] = "self";
  show["recipe"]["text_fingerprints"] = nlohmann::json::array();
  show["own_text"] = {"Once upon a time.", "There was a cat."};
  const StandInEngine engine(opening(show));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  window.findChild<ui::RunPages*>()->show_step(ui::RunPages::text);
  const auto* own = window.findChild<QPlainTextEdit*>("own_text");
  REQUIRE(own);
  CHECK(own->isVisible());
  CHECK(own->toPlainText() == "Once upon a time.\n\nThere was a cat.");
  testing::keep_picture(window, "run-text-own");
}

TEST_CASE("while a run is open, a menu has the policy commands with their shortcuts") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  const QMenu* menu = nullptr;
  for (const QAction* action : window.menuBar()->actions())
    if (action->text() == "&Policy") menu = action->menu();
  REQUIRE(menu);
  CHECK_FALSE(menu->menuAction()->isEnabled());
  window.open_run("/some/run");
  wait_until_open(window);
  CHECK(menu->menuAction()->isEnabled());
  auto* view = window.findChild<ui::RunPages*>();
  const auto choose = [&](const char* name) {
    for (QAction* action : menu->actions())
      if (action->text() == name) return action->trigger();
    FAIL("there is no " << name);
  };
  choose("&Compare output");
  CHECK(view->current_step() == ui::RunPages::evaluate);
  CHECK(window.findChild<QTabWidget*>("evaluation tabs")->currentIndex() == 1);
  choose("&Find layer");
  CHECK(view->current_step() == ui::RunPages::policy);
  CHECK(window.findChild<QLineEdit*>("layer_search")->hasFocus());
  choose("&Measure");
  CHECK(view->busy());
  choose("&Measure");  // continues
  choose("&Reset pins");
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
  auto* undo = window.findChild<ui::RunPages*>()->undo_stack();
  REQUIRE(QTest::qWaitFor([&] { return undo->canUndo(); }, patience_ms));
  undo->undo();
  CHECK(slider->value() == before);
}

TEST_CASE("a run that cannot be read gives a message") {
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

TEST_CASE("a folder is opened according to its kind, also when it is dropped") {
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
  CHECK(wait_for(window, "does not exist"));
  drop(window, QUrl::fromLocalFile(path_of(model)));
  REQUIRE(window.findChild<ui::ConversionWizard*>());
  CHECK(window.findChild<QLineEdit*>("model_folder")->text() == path_of(model));
  write_file(folder / "tiny.gguf", "GGUF");
  drop(window, QUrl::fromLocalFile(path_of(folder / "tiny.gguf")));
  CHECK(QTest::qWaitFor(
      [&] { return window.findChild<QLineEdit*>("model_folder")->text() == path_of(folder / "tiny.gguf"); }));
}

TEST_CASE(
    "a model of the Hub's cache opens by its folder and by its name, and a folder of GGUF files as a model") {
  const testing::WizardGround ground;
  const testing::FakeHub hub(ground);
  const testing::TemporaryFolder folder;
  write_file(folder / "tiny.gguf", "GGUF");
  const StandInEngine engine(StandInEngine::complaining("Seen.", "", 2));
  MainWindow window(engine.engine());
  window.show();
  const auto chosen = [&] {
    const auto* field = window.findChild<QLineEdit*>("model_folder");
    return field ? field->text() : QString();
  };
  window.open(hub.entry("org--Tiny"));
  CHECK(QTest::qWaitFor([&] { return chosen() == hub.entry("org--Tiny"); }, patience_ms));
  CHECK(wait_for(window, "2 layers"));
  window.show_start();
  window.open("org/Tiny");
  CHECK(QTest::qWaitFor([&] { return chosen().contains("snapshots"); }, patience_ms));
  window.show_start();
  window.open(path_of(folder.path()));
  CHECK(QTest::qWaitFor([&] { return chosen() == path_of(folder.path()); }, patience_ms));
  window.show_start();
  window.open("org/Nowhere");
  CHECK(wait_for(window, "does not exist"));
}

TEST_CASE("a recent entry whose folder is missing is removed") {
  QSettings().clear();
  const StandInEngine engine(StandInEngine::complaining("There is no run here.", "", 2));
  MainWindow window(engine.engine());
  window.show();
  remember_recent(ui::keys::recent_runs, "/gone/run", {});
  remember_recent(ui::keys::recent_models, "/gone/model", {});
  window.open_run("/gone/run");
  REQUIRE(wait_for(window, "run could not be opened"));
  CHECK(ui::recent(ui::keys::recent_runs, {}).isEmpty());
  window.new_conversion("/gone/model");
  CHECK(wait_for(window, "does not exist"));
  CHECK(ui::recent(ui::keys::recent_models, {}).isEmpty());
  CHECK_FALSE(window.findChild<ui::ConversionWizard*>());
}

TEST_CASE("help explains the terms in a dialog beside the window") {
  MainWindow window(ui::Engine::beside_studio());
  window.show();
  auto* action = window.findChild<QAction*>("words_action");
  REQUIRE(action);
  action->trigger();
  auto* dialog = window.findChild<QDialog*>("words");
  REQUIRE(dialog);
  CHECK(dialog->isVisible());
  CHECK_FALSE(dialog->isModal());
  for (const char* word : {"KL", "Frontier", "routing weight", "Activated parameters"})
    CHECK(dialog->findChild<QTextBrowser*>()->toPlainText().contains(word));
  testing::keep_picture(*dialog, "words");
}

TEST_CASE("a page keeps the engine that it began with; the demo's engine is always local") {
  QSettings().clear();
  const testing::StandInSsh ssh;
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(ssh.engine(engine.program()));
  window.show();
  REQUIRE_FALSE(ui::demo_model().isEmpty());
  window.new_conversion(ui::demo_model());
  auto* wizard = window.findChild<ui::ConversionWizard*>();
  REQUIRE(wizard);
  CHECK_FALSE(wizard->engine().remote());
  auto* own = wizard->findChild<QRadioButton*>("text_own");
  REQUIRE(own);
  CHECK(own->isChecked());
  emit wizard->conversion_started("/here/run");
  CHECK(ui::recent(ui::keys::recent_runs, {}) == QStringList{"/here/run"});
  CHECK(ui::recent(ui::keys::recent_runs, "far").isEmpty());
  emit wizard->run_finished("/here/run");
  CHECK_FALSE(window.findChild<ui::RunPages*>()->engine().remote());
  window.open_run("far/run");
  wait_until_open(window);
  CHECK(ui::recent(ui::keys::recent_runs, "far") == QStringList{"far/run"});
}

TEST_CASE("folders of this machine and of the engine's machine are not confused") {
  const testing::StandInSsh ssh;
  const StandInEngine engine(StandInEngine::complaining("This folder is not a run.", "", 2));
  const testing::TemporaryFolder folder;
  MainWindow window(ssh.engine(engine.program()));
  window.show();
  drop(window, QUrl::fromLocalFile(path_of(folder.path())));
  CHECK(words(window).contains("is on this machine, but the engine runs on far"));
  CHECK_FALSE(window.findChild<ui::RunPages*>());
  window.open("models/far");  // a remote folder is assumed to be a run
  REQUIRE(wait_for(window, "This folder is not a run."));
  QTest::mouseClick(button(window, "Open it as a model…"), Qt::LeftButton);
  REQUIRE(window.findChild<ui::ConversionWizard*>());
  CHECK(window.findChild<QLineEdit*>("model_folder")->text() == "models/far");
}

TEST_CASE("closing the window while the engine works asks in the window, and says what is kept") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  QTest::mouseClick(window.findChild<QPushButton*>("measure"), Qt::LeftButton);
  CHECK(window.findChild<ui::RunPages*>()->busy());
  CHECK_FALSE(window.close());
  CHECK(words(window).contains("still working"));
  CHECK(words(window).contains("are kept"));
  CHECK(button(window, "Keep open")->hasFocus());
  QTest::mouseClick(button(window, "Keep open"), Qt::LeftButton);
  CHECK(window.isVisible());
  CHECK_FALSE(window.close());
  QTest::mouseClick(button(window, "Stop and close"), Qt::LeftButton);
  CHECK(QTest::qWaitFor([&] { return !window.isVisible(); }, patience_ms));
}

TEST_CASE("the window asks before it loses a policy that was chosen and not saved") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  QTest::keyClick(window.findChild<QSlider*>("tradeoff"), Qt::Key_Home);
  window.show_start();
  CHECK(words(window).contains("is not saved"));
  QTest::mouseClick(button(window, "Keep open"), Qt::LeftButton);
  CHECK_FALSE(window.close());
  CHECK(words(window).contains("is not saved"));
  window.findChild<ui::RunPages*>()->undo_stack()->undo();
  CHECK(window.close());
}

TEST_CASE("undo moves the policy only on the page that shows it") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  QTest::keyClick(window.findChild<QSlider*>("tradeoff"), Qt::Key_Home);
  QAction* undo = nullptr;
  for (QAction* action : window.findChildren<QAction*>())
    if (action->shortcut() == QKeySequence(QKeySequence::Undo)) undo = action;
  REQUIRE(undo);
  CHECK(undo->isEnabled());
  auto& run = *window.findChild<ui::RunPages*>();
  for (const auto step : {ui::RunPages::evaluate, ui::RunPages::export_model, ui::RunPages::text}) {
    run.show_step(step);
    CHECK_FALSE(undo->isEnabled());
  }
  run.show_step(ui::RunPages::policy);
  CHECK(undo->isEnabled());
  undo->trigger();
  CHECK(run.undo_stack()->index() == 0);
}

TEST_CASE("axes and fields write numbers as tables do, whatever the system's language is") {
  const QLocale before;
  QLocale::setDefault(QLocale(QLocale::German));
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  const auto& canvas = *window.findChild<QCustomPlot*>("frontier_canvas");
  CHECK(canvas.locale().toString(0.5) == "0.5");
  window.findChild<ui::RunPages*>()->show_texts();
  CHECK(window.findChild<QDoubleSpinBox*>("temperature")->text() == "0.00");
  QLocale::setDefault(before);
}

TEST_CASE("the run's page asks for an original that was moved") {
  const StandInEngine engine("case $1 in\nserve) " +
                             StandInEngine::complaining("The original model of this run cannot be opened.",
                                                        "Use the folder where it is now with {dense}.", 2) +
                             " ;;\nesac\n" + StandInEngine::finding(testing::example_show().dump()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/some/run");
  wait_until_open(window);
  QTest::mouseClick(window.findChild<QPushButton*>("measure"), Qt::LeftButton);
  REQUIRE(wait_for(window, "was not found"));
  CHECK(button(window, "Locate…"));
  QTest::mouseClick(button(window, "Not now"), Qt::LeftButton);
  CHECK_FALSE(words(window).contains("was not found"));
}

TEST_CASE("the start page and messages follow a light or dark palette") {
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

TEST_CASE("a run is compared with another one, but not with itself") {
  const StandInEngine engine(opening(testing::example_show()));
  MainWindow window(engine.engine());
  window.show();
  window.open_run("/runs/first");
  wait_until_open(window);
  auto& run = *window.findChild<ui::RunPages*>("run view");
  run.compare_with(run.folder());
  CHECK(words(window).contains("This run is open already."));
  CHECK_FALSE(run.findChild<ui::RunComparisonWindow*>());
  run.compare_with("/runs/second");
  auto* comparison = run.findChild<ui::RunComparisonWindow*>();
  REQUIRE(comparison);
  CHECK(QTest::qWaitFor([&] { return comparison->windowTitle() == "first and second"; }, patience_ms));
}
