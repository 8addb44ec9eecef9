// Every way out of an open run, with what each would lose: a policy that is not saved, work of the engine,
// both. And what becomes of a policy that cannot be saved.
#include "ui/mainwindow/leaving.h"

#include <csignal>
#include <fstream>
#include <functional>

#include <doctest/doctest.h>

#include <QAction>
#include <QApplication>
#include <QDropEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QSlider>
#include <QTest>
#include <QUndoStack>

#include "base/files.h"
#include "example_run.h"
#include "opened_run.h"
#include "palettes.h"
#include "run/saved_policy.h"
#include "support/pico_model.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/mainwindow/termination.h"
#include "ui/panels/policy_saving.h"
#include "ui/settings/settings.h"
#include "ui/wizard/conversion_wizard.h"

using namespace ladimo;
using ladimo::testing::StandInEngine;
using ladimo::testing::wait_until;
using ui::MainWindow;
using ui::RunPages;
namespace fs = std::filesystem;

namespace {

/// `show` prints the example's run; `serve` loads, keeps what it is asked and answers with `answers`.
std::string engine_script(const std::string& answers) {
  return "case $1 in\nserve) " +
         testing::serving("*) echo \"$line\" >> \"$0.asked\" ;;\n  esac\n  case \"$line\" in\n" + answers) +
         "\n;;\nesac\n" + StandInEngine::finding(testing::example_show().dump());
}
const std::string never_answers = "*nothing*) ;;";

QString text_of(const fs::path& path) { return QString::fromStdString(path.string()); }

struct OpenWindow {
  explicit OpenWindow(const std::string& answers = never_answers) : OpenWindow(answers, nullptr) {}
  /// With `ssh` the run is on another machine.
  OpenWindow(const std::string& answers, const testing::StandInSsh* ssh)
      : engine(engine_script(answers)), window(ssh ? ssh->engine(engine.program()) : engine.engine()) {
    testing::write_run(folder);
    // Where the ways out lead to.
    testing::write_pico_model(engine.folder() / "pico");
    fs::create_directories(engine.folder() / "exported");
    write_json(engine.folder() / "exported/config.json", {{"model_type", "ladimo"}});
    std::ofstream(engine.folder() / "exported/README.md") << "# A calm model\n";
    fs::create_directories(engine.folder() / "dropped");
    write_json(engine.folder() / "dropped/recipe.json", {{"experts", 64}});
    window.resize(1024, 700);
    window.show();
    window.open_run(text_of(folder));
    REQUIRE(wait_until([&] { return window.findChild<QSlider*>("tradeoff") != nullptr; }));
    page = window.findChild<RunPages*>();
  }
  ~OpenWindow() { QSettings().clear(); }

  void choose_policy() { QTest::keyClick(window.findChild<QSlider*>("tradeoff"), Qt::Key_Home); }
  void measure() { window.findChild<QPushButton*>("measure")->click(); }
  QString words() const {
    QStringList seen;
    for (const auto* label : window.findChildren<QLabel*>())
      if (label->isVisible()) seen << label->text();
    return seen.join('\n');
  }
  bool says(const char* text) const {
    return wait_until([&] { return words().contains(QString::fromUtf8(text)); });
  }
  QPushButton* button(const char* text) const {
    for (auto* found : window.findChildren<QPushButton*>())
      if (found->isVisible() && found->text() == QString::fromUtf8(text)) return found;
    return nullptr;
  }
  void press(const char* text) {
    CAPTURE(text);
    REQUIRE(
        wait_until([&] { return button(text) != nullptr; }));  // a bar that is shown adds it a little later
    QTest::mouseClick(button(text), Qt::LeftButton);
  }
  std::vector<LayerPolicy> chosen() const {
    // The slider at its beginning is the frontier's first point.
    return Frontier(testing::example_tradeoff(), nullptr, Cost::activated).at_tradeoff(0).layers;
  }
  std::vector<LayerPolicy> saved_in_run() const {
    return policy_from_json(read_json(folder / "policy.json")).layers;
  }
  /// Another program saves this as the run's policy.
  void others_save(double tradeoff) const {
    write_json(
        folder / "policy.json",
        to_json(Frontier(testing::example_tradeoff(), nullptr, Cost::activated).at_tradeoff(tradeoff)));
  }

  StandInEngine engine;
  fs::path folder = engine.folder() / "stories-run";
  MainWindow window;
  RunPages* page = nullptr;
};

/// No file can be written by the core while it lives.
struct FullDisk {
  FullDisk() { qputenv("LADIMO_DISK_FULL_AFTER_BYTES", "0"); }
  ~FullDisk() { empty(); }
  void empty() const { qunsetenv("LADIMO_DISK_FULL_AFTER_BYTES"); }
};

/// A way out of the open run, and whether the run was left.
struct WayOut {
  std::string name;
  std::function<void(OpenWindow&)> take;
  std::function<bool(OpenWindow&)> is_out;
};

QAction* menu_action(const MainWindow& window, const QString& text) {
  for (const QAction* menu : window.menuBar()->actions())
    for (QAction* action : menu->menu()->actions())
      if (action->text() == text) return action;
  throw std::runtime_error("there is no action " + text.toStdString());
}

bool closed(OpenWindow& open) { return !open.window.isVisible(); }
bool another_page(OpenWindow& open) {
  return !open.page->isVisible() || open.window.findChildren<RunPages*>().size() > 1;
}

std::vector<WayOut> ways_out() {
  return {
      {"closing the window", [](OpenWindow& open) { open.window.close(); }, closed},
      {"Quit in the menu", [](OpenWindow& open) { menu_action(open.window, "&Quit")->trigger(); }, closed},
      {"quitting the application",
       [](OpenWindow&) {
         QEvent quit(QEvent::Quit);
         QApplication::sendEvent(qApp, &quit);
       },
       closed},
      {"Close in the menu", [](OpenWindow& open) { menu_action(open.window, "&Close")->trigger(); },
       another_page},
      {"Reload in the menu", [](OpenWindow& open) { menu_action(open.window, "Re&load")->trigger(); },
       another_page},
      {"opening another run",
       [](OpenWindow& open) { open.window.open_run(text_of(open.engine.folder() / "another")); },
       another_page},
      {"New conversion in the menu",
       [](OpenWindow& open) { menu_action(open.window, QString::fromUtf8("&New conversion…"))->trigger(); },
       another_page},
      {"going to a model", [](OpenWindow& open) { open.window.open(text_of(open.engine.folder() / "pico")); },
       another_page},
      {"opening an exported model",
       [](OpenWindow& open) { open.window.open(text_of(open.engine.folder() / "exported")); }, another_page},
      {"dropping a run",
       [](OpenWindow& open) {
         QMimeData data;
         data.setUrls({QUrl::fromLocalFile(text_of(open.engine.folder() / "dropped"))});
         QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
         QApplication::sendEvent(&open.window, &enter);
         QDropEvent event({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
         QApplication::sendEvent(&open.window, &event);
       },
       another_page},
      {"the end of the session", [](OpenWindow& open) { CHECK_FALSE(open.window.end_session(true)); },
       closed},
  };
}

bool out(const WayOut& way, OpenWindow& open) {
  return wait_until([&] { return way.is_out(open); });
}

}  // namespace

TEST_CASE("every way out asks before it loses a policy, and takes it back, saves it or loses it") {
  const auto try_way = [](const WayOut& way, bool saves) {
    CAPTURE(way.name);
    CAPTURE(saves);
    OpenWindow open;
    open.choose_policy();
    const auto before = open.saved_in_run();
    way.take(open);
    CHECK(open.says("The current policy is not saved."));
    CHECK_FALSE(way.is_out(open));
    REQUIRE(open.button("Keep open"));
    CHECK(open.button("Keep open")->hasFocus());
    open.press("Keep open");
    CHECK_FALSE(way.is_out(open));
    CHECK(open.page->unsaved());
    way.take(open);
    open.press(saves ? "Save as the run's policy" : "Close without saving");
    CHECK(out(way, open));
    CHECK(open.saved_in_run() == (saves ? open.chosen() : before));
  };
  for (const WayOut& way : ways_out())
    for (const bool saves : {true, false}) try_way(way, saves);
}

TEST_CASE("every way out asks before it stops the engine") {
  for (const WayOut& way : ways_out()) {
    CAPTURE(way.name);
    OpenWindow open;
    open.measure();
    way.take(open);
    CHECK(open.says("The engine is still working on this run."));
    CHECK_FALSE(open.words().contains("not saved"));
    CHECK_FALSE(open.button("Save as the run's policy"));
    CHECK_FALSE(way.is_out(open));
    open.press("Stop and close");
    CHECK(out(way, open));
  }
}

TEST_CASE(
    "every way out speaks of the policy also while the engine works, and saving does not need the engine") {
  for (const WayOut& way : ways_out()) {
    CAPTURE(way.name);
    OpenWindow open;
    open.choose_policy();
    open.measure();
    way.take(open);
    CHECK(open.says("The current policy is not saved, and the engine is still working on this run."));
    CHECK(open.words().contains("The current measurement or export would be lost"));
    CHECK_FALSE(way.is_out(open));
    CHECK(open.button("Stop and close without saving"));
    open.press("Save as the run's policy");
    CHECK(out(way, open));
    CHECK(open.saved_in_run() == open.chosen());
  }
}

TEST_CASE("the menu saves the chosen policy as the run's own, on every page") {
  OpenWindow open;
  open.choose_policy();
  open.page->show_step(RunPages::evaluate);
  menu_action(open.window, "&Save as the run's policy")->trigger();
  CHECK(open.says("The policy is saved as the run's policy."));
  CHECK(open.saved_in_run() == open.chosen());
  CHECK_FALSE(open.page->unsaved());
  menu_action(open.window, "&Save as the run's policy")->trigger();
  CHECK(open.says("The policy is saved already."));
}

TEST_CASE("every way out is open where nothing would be lost") {
  for (const WayOut& way : ways_out()) {
    if (way.name == "the end of the session") continue;  // the session closes the window itself
    CAPTURE(way.name);
    OpenWindow open;
    open.choose_policy();
    open.page->undo_stack()->undo();
    way.take(open);
    CHECK(out(way, open));
  }
  OpenWindow open;
  CHECK(open.window.end_session(true));
}

TEST_CASE("a policy that cannot be saved keeps the window open, and nothing is lost") {
  enum class Then { cancel, try_again, save_elsewhere };
  const auto try_way = [](const WayOut& way, Then then) {
    CAPTURE(way.name);
    OpenWindow open;
    open.choose_policy();
    open.measure();
    const FullDisk full;
    way.take(open);
    open.press("Save as the run's policy");
    CHECK(open.says("The policy was not saved."));
    CHECK_FALSE(way.is_out(open));
    CHECK(open.page->unsaved());
    CHECK(open.page->busy());  // the measurement goes on
    if (then == Then::cancel) {
      open.press("Cancel");
      CHECK_FALSE(way.is_out(open));
      CHECK(open.page->unsaved());
      way.take(open);
      CHECK(open.says("The current policy is not saved"));
    }
    if (then == Then::try_again) {
      open.press("Try again");
      CHECK(open.says("The policy was not saved."));
      full.empty();
      open.press("Try again");
      CHECK(out(way, open));
      CHECK(open.saved_in_run() == open.chosen());
    }
    if (then == Then::save_elsewhere) {
      auto& saving = *open.window.findChild<ui::PolicySaving*>();
      saving.save_elsewhere("/nonexistent/policy.json");
      CHECK(open.says("could not be saved"));
      CHECK_FALSE(way.is_out(open));
      saving.save_elsewhere(text_of(open.engine.folder() / "mine.json"));
      CHECK(out(way, open));
      CHECK(policy_from_json(read_json(open.engine.folder() / "mine.json")).layers == open.chosen());
    }
  };
  for (const WayOut& way : ways_out())
    for (const Then then : {Then::cancel, Then::try_again, Then::save_elsewhere}) try_way(way, then);
}

TEST_CASE("a policy that another program saved is not overwritten without asking") {
  const auto theirs = Frontier(testing::example_tradeoff(), nullptr, Cost::activated).at_tradeoff(0.8).layers;
  OpenWindow open;
  open.choose_policy();
  open.others_save(0.8);
  open.window.close();
  open.press("Save as the run's policy");
  CHECK(open.says("Another program changed the run's policy."));
  CHECK(open.window.isVisible());
  CHECK(open.saved_in_run() == theirs);
  REQUIRE(open.button("Cancel"));
  CHECK(open.button("Cancel")->hasFocus());
  SUBCASE("canceled") {
    open.press("Cancel");
    CHECK(open.window.isVisible());
    CHECK(open.page->unsaved());
    CHECK(open.saved_in_run() == theirs);
  }
  SUBCASE("both kept") {
    open.press("Keep both");
    CHECK(wait_until([&] { return !open.window.isVisible(); }));
    CHECK(open.saved_in_run() == theirs);
    CHECK(policy_from_json(read_json(open.folder / "policies/mine.json")).layers == open.chosen());
  }
  SUBCASE("both kept, although that name is taken too") {
    fs::create_directories(open.folder / "policies");
    fs::copy(open.folder / "policy.json", open.folder / "policies/mine.json");
    open.press("Keep both");
    CHECK(open.says("Another program changed the saved policy “mine”."));
    open.press("Keep both");
    CHECK(wait_until([&] { return !open.window.isVisible(); }));
    CHECK(policy_from_json(read_json(open.folder / "policies/mine.json")).layers == theirs);
    CHECK(policy_from_json(read_json(open.folder / "policies/mine 2.json")).layers == open.chosen());
  }
  SUBCASE("replaced") {
    open.press("Replace");
    CHECK(wait_until([&] { return !open.window.isVisible(); }));
    CHECK(open.saved_in_run() == open.chosen());
  }
}

TEST_CASE("two windows on one run do not overwrite each other's policy") {
  OpenWindow first;
  MainWindow second(first.engine.engine());
  second.show();
  second.open_run(text_of(first.folder));
  REQUIRE(wait_until([&] { return second.findChild<QSlider*>("tradeoff") != nullptr; }));
  first.choose_policy();
  first.window.close();
  first.press("Save as the run's policy");
  CHECK(wait_until([&] { return !first.window.isVisible(); }));
  QTest::keyClick(second.findChild<QSlider*>("tradeoff"), Qt::Key_End);
  auto* page = second.findChild<RunPages*>();
  page->save_policy();
  CHECK(page->unsaved());
  CHECK(first.saved_in_run() == first.chosen());
}

TEST_CASE("the window notices that another program changed the run, and reloads it when asked") {
  OpenWindow open;
  open.others_save(0.8);
  CHECK(open.says("Another program changed the run's policy."));
  open.press("Not now");
  QTest::qWait(400);
  CHECK_FALSE(open.words().contains("Another program"));  // it is told once
  fs::create_directories(open.folder / "policies");
  fs::copy(open.folder / "policy.json", open.folder / "policies/calm.json");
  CHECK(open.says("Another program changed “calm”."));
  open.choose_policy();
  open.press("Reload run");
  CHECK(open.says("The current policy is not saved."));
  open.press("Close without saving");
  CHECK(wait_until([&] { return open.window.findChildren<RunPages*>().size() > 1; }));
}

TEST_CASE("what the window saves itself is no change by another program") {
  OpenWindow open;
  open.choose_policy();
  open.page->save_policy();
  CHECK_FALSE(open.page->unsaved());
  CHECK(open.saved_in_run() == open.chosen());
  QTest::qWait(600);
  CHECK_FALSE(open.words().contains("Another program"));
}

TEST_CASE("the window notices that the run's folder is gone, never makes it anew, and saves elsewhere") {
  OpenWindow open;
  fs::rename(open.folder, open.engine.folder() / "moved");
  CHECK(open.says("The run folder was moved"));
  CHECK(open.page->unsaved());  // the file that held the policy is gone
  SUBCASE("saved elsewhere") {
    open.window.close();
    CHECK(open.says("The run folder is gone. Save the policy elsewhere."));
    CHECK(open.button("Save elsewhere…"));
    open.window.findChild<ui::PolicySaving*>()->save_elsewhere(text_of(open.engine.folder() / "mine.json"));
    CHECK_FALSE(open.page->unsaved());
    CHECK(open.window.close());
  }
  SUBCASE("saved in the run all the same") {
    open.press("Not now");
    open.page->show_step(RunPages::export_model);
    open.window.findChild<QPushButton*>("save_as_run_policy")->click();
    CHECK(open.says("The run folder was moved or deleted"));
    CHECK(open.button("Save elsewhere…"));
    CHECK(open.page->unsaved());
  }
  SUBCASE("back again") {
    fs::rename(open.engine.folder() / "moved", open.folder);
    CHECK(open.says("The run folder is back."));
    CHECK_FALSE(open.page->unsaved());
    return;
  }
  CHECK_FALSE(fs::exists(open.folder));
}

TEST_CASE("a run whose folder vanished unnoticed is not made anew by saving") {
  OpenWindow open;
  open.choose_policy();
  fs::remove_all(open.folder);
  open.window.close();  // before the window was told
  open.press("Save as the run's policy");
  CHECK(open.says("The run folder was moved or deleted"));
  CHECK(open.window.isVisible());
  CHECK_FALSE(fs::exists(open.folder));
}

TEST_CASE("a policy counts as saved where it is kept, not where the undo steps are") {
  OpenWindow open;
  open.choose_policy();
  open.page->show_step(RunPages::export_model);
  open.window.findChild<QLineEdit*>("policy_name")->setText("calm");
  open.window.findChild<QPushButton*>("save_policy")->click();
  CHECK_FALSE(open.page->unsaved());
  open.page->undo_stack()->undo();
  CHECK_FALSE(open.page->unsaved());  // the run's own policy
  open.page->undo_stack()->redo();
  fs::remove(open.folder / "policies/calm.json");
  open.page->show_step(RunPages::policy);
  QTest::keyClick(open.window.findChild<QSlider*>("tradeoff"), Qt::Key_End);
  open.page->save_policy();
  open.page->undo_stack()->setIndex(0);
  CHECK(open.page->unsaved());  // the run holds another policy now
}

TEST_CASE("a policy that was saved here counts as lost once another program replaced it") {
  OpenWindow open;
  open.others_save(0.8);
  CHECK(open.says("Another program changed the run's policy."));
  CHECK_FALSE(open.page->unsaved());  // nobody chose in this window
  open.choose_policy();
  open.window.close();
  open.press("Save as the run's policy");
  CHECK(open.says("Replace discards what that program saved."));
  open.press("Replace");
  CHECK(wait_until([&] { return !open.window.isVisible(); }));
  open.window.show();
  CHECK_FALSE(open.page->unsaved());
  open.others_save(0.6);
  CHECK(wait_until([&] { return open.page->unsaved(); }));
  open.window.close();
  CHECK(open.says("The current policy is not saved."));
  open.press("Save as the run's policy");
  CHECK(open.says("Keep both saves yours"));
  open.press("Keep both");
  CHECK(wait_until([&] { return !open.window.isVisible(); }));
  CHECK(policy_from_json(read_json(open.folder / "policies/mine.json")).layers == open.chosen());
}

TEST_CASE("at the end of a session that does not ask, the policy is kept under a name of its own") {
  OpenWindow open;
  const auto before = open.saved_in_run();
  open.choose_policy();
  open.measure();
  SUBCASE("in the run") {
    CHECK(open.window.end_session(false));
    CHECK_FALSE(open.window.isVisible());
    CHECK(open.saved_in_run() == before);
    const auto names = RunFolder(open.folder).policy_names();
    REQUIRE(names.size() == 1);
    CHECK(names.front().starts_with("unsaved 20"));
    CHECK(policy_from_json(read_json(RunFolder(open.folder).named_policy_file(names.front()))).layers ==
          open.chosen());
  }
  SUBCASE("or, where that fails, the window stays") {
    fs::remove_all(open.folder);
    CHECK_FALSE(open.window.end_session(false));
    CHECK(open.window.isVisible());
    CHECK(open.says("The policy was not saved."));
    CHECK_FALSE(fs::exists(open.folder));
  }
}

TEST_CASE("SIGTERM, SIGHUP and SIGINT end the program as the end of a session does") {
  for (const int signal : {SIGTERM, SIGHUP, SIGINT}) {
    OpenWindow open;
    const ui::Termination termination;
    QObject::connect(&termination, &ui::Termination::asked, &open.window,
                     [&] { open.window.end_session(false); });
    open.choose_policy();
    std::raise(signal);
    CHECK(wait_until([&] { return !open.window.isVisible(); }));
    CHECK(RunFolder(open.folder).policy_names().size() == 1);
  }
}

TEST_CASE("a policy of a remote run is saved by the engine; the window waits for it") {
  const std::string busy_then_saves =
      R"sh(*policy\",*\"request\":\"policy\"*|*\"request\":\"policy\"*) echo '{"event":"result","path":"x","changed":false,"id":'$id'}' ;;)sh";
  const testing::StandInSsh ssh;
  OpenWindow open(busy_then_saves, &ssh);
  open.choose_policy();
  open.window.close();
  open.press("Save as the run's policy");
  CHECK(open.says("Saving the policy"));
  CHECK(wait_until([&] { return !open.window.isVisible(); }));
  const std::string asked = read_file(open.engine.folder() / "ladimo.asked");
  CHECK(asked.find("\"expected\":{\"content\":{") != std::string::npos);
}

TEST_CASE("a remote engine that does not save keeps the window open") {
  const testing::StandInSsh ssh;
  const std::pair<std::string, const char*> rows[] = {
      {R"sh(*policy*) echo '{"event":"error","message":"The disk is full.","hint":"","path":"","id":'$id'}' ;;)sh",
       "The policy was not saved. The disk is full."},
      {R"sh(*policy*) echo '{"event":"result","path":"x","changed":true,"id":'$id'}' ;;)sh",
       "Another program changed the run's policy."},
      {"*policy*) kill -KILL $$ ;;", "The policy was not saved."}};
  for (const auto& [answers, said] : rows) {
    CAPTURE(said);
    OpenWindow open(answers, &ssh);
    open.choose_policy();
    open.window.close();
    open.press("Save as the run's policy");
    CHECK(open.says(said));
    CHECK(open.window.isVisible());
    CHECK(open.page->unsaved());
  }
}

TEST_CASE("the questions can be drawn") {
  for (const bool dark : {false, true}) {
    QApplication::setPalette(dark ? testing::dark_palette() : testing::light_palette());
    const QString tint = dark ? "dark" : "light";
    OpenWindow open;
    open.window.resize(960, 600);
    open.choose_policy();
    open.window.close();
    testing::keep_picture(open.window, "leaving-policy-" + tint);
    open.measure();
    open.window.close();
    testing::keep_picture(open.window, "leaving-both-" + tint);
    open.others_save(0.8);
    open.press("Save as the run's policy");
    testing::keep_picture(open.window, "leaving-changed-" + tint);
    open.press("Cancel");
    fs::remove_all(open.folder);
    CHECK(open.says("The run folder was moved"));
    testing::keep_picture(open.window, "leaving-gone-" + tint);
    open.page->show_step(RunPages::export_model);
    open.window.findChild<QPushButton*>("save_as_run_policy")->click();
    testing::keep_picture(open.window, "leaving-failed-" + tint);
  }
  QApplication::setPalette(QPalette());
}
