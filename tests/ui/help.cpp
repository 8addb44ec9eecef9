// Help for every panel and plot: the mark beside its title, F1, and the dialog with all of it.
#include "ui/models/help.h"

#include <iterator>
#include <set>

#include <doctest/doctest.h>

#include <QAction>
#include <QApplication>
#include <QDialog>
#include <QLabel>
#include <QScreen>
#include <QSettings>
#include <QSlider>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <QTextBrowser>

#include "opened_run.h"
#include "palettes.h"
#include "support/window_walk.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/plots/plot.h"
#include "ui/widgets/help_bubble.h"
#include "ui/widgets/help_mark.h"
#include "ui/wizard/conversion_wizard.h"
#include "wizard_support.h"

using namespace ladimo;
using ladimo::testing::keep_picture;
using ladimo::testing::StandInEngine;
using ladimo::testing::wait_until;
using ui::Help;
using ui::HelpBubble;
using ui::RunPages;

namespace {

/// The open pop-up; null if there is none.
HelpBubble* bubble() {
  for (QWidget* window : QApplication::topLevelWidgets())
    if (auto* found = qobject_cast<HelpBubble*>(window); found && found->isVisible()) return found;
  return nullptr;
}

QString bubble_text() { return bubble() ? testing::child<QLabel>(*bubble(), "help text").text() : QString(); }

void close_bubble() {
  QTest::keyClick(bubble(), Qt::Key_Escape);
  QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
}

struct OpenWindow {
  OpenWindow()
      : engine("case $1 in\nserve) exec sleep 60 ;;\nexport)\n" +
               StandInEngine::finding(testing::example_formats().dump()) + "\nexit ;;\nesac\n" +
               StandInEngine::finding(testing::example_show({.cuts = true}).dump())),
        window(engine.engine()) {
    QSettings().clear();
    window.resize(1000, 660);
    window.show();
    window.open_run("/some/run");
    REQUIRE(wait_until([&] { return window.findChild<QSlider*>("tradeoff") != nullptr; }));
    window.activateWindow();
    REQUIRE(QTest::qWaitForWindowActive(&window));
  }
  RunPages& run() { return *window.findChild<RunPages*>(); }
  void explain() { window.findChild<QAction*>("explain_action")->trigger(); }

  StandInEngine engine;
  ui::MainWindow window;
};

/// The marks that can be seen, each of which can be pressed.
void check_marks(QWidget& page, std::initializer_list<Help> wanted) {
  QTest::qWait(50);
  for (const auto* plot : page.findChildren<ui::Plot*>()) {
    if (!plot->isVisible()) continue;
    CAPTURE(plot->title().toStdString());
    CHECK(plot->findChild<ui::HelpMark*>());
  }
  QStringList seen;
  for (auto* mark : page.findChildren<ui::HelpMark*>()) {
    if (!mark->isVisible()) continue;
    CAPTURE(mark->accessibleName().toStdString());
    CHECK(mark->width() >= 10);
    mark->click();
    REQUIRE(bubble());
    CHECK(mark->accessibleName().endsWith(bubble()->accessibleName()));
    const QRect screen = mark->screen()->availableGeometry(), place = bubble()->geometry();
    CHECK(screen.contains(place));
    const auto& text = testing::child<QLabel>(*bubble(), "help text");
    CHECK(text.height() >= text.heightForWidth(text.width()));
    seen << bubble()->accessibleName();
    close_bubble();
  }
  for (const Help about : wanted)
    CHECK_MESSAGE(seen.contains(ui::help_title(about)), ui::help_title(about).toStdString());
}

}  // namespace

TEST_CASE("every topic has a title of its own and says something") {
  std::set<QString> titles;
  for (int i = 0; i < ui::help_count; ++i) {
    const auto about = static_cast<Help>(i);
    CHECK(titles.insert(ui::help_title(about)).second);
    CHECK(ui::help_html(about).size() > 60);
  }
}

TEST_CASE("every panel and plot of a run has a mark that explains it") {
  OpenWindow open;
  check_marks(open.window, {Help::layers, Help::routing, Help::load, Help::frontier, Help::predicted});
  auto& of_all_layers = *open.window.findChild<QTabWidget*>("all_layers");
  const Help tabs[] = {Help::all_layers, Help::load_of_layers, Help::together};
  REQUIRE(of_all_layers.count() == std::size(tabs));
  for (int tab = 0; tab < of_all_layers.count(); ++tab) {
    of_all_layers.setCurrentIndex(tab);
    check_marks(open.window, {tabs[tab]});
  }
  const std::pair<RunPages::Step, Help> pages[] = {{RunPages::model, Help::model},
                                                   {RunPages::text, Help::text},
                                                   {RunPages::experts, Help::experts},
                                                   {RunPages::distil, Help::losses}};
  for (const auto& [step, about] : pages) {
    open.run().show_step(step);
    check_marks(open.window, {about});
  }
  open.run().show_step(RunPages::export_model);
  check_marks(open.window, {Help::formats, Help::policies});
  open.run().show_step(RunPages::evaluate);
  check_marks(open.window, {Help::measured, Help::kl_of_tokens, Help::predictions});
  open.window.findChild<QTabWidget*>("results")->setCurrentIndex(1);
  check_marks(open.window, {Help::tasks});
  open.run().show_texts();
  check_marks(open.window, {Help::generation});
}

TEST_CASE("F1 explains the panel that has the focus, and the dialog all of them") {
  OpenWindow open;
  open.window.findChild<QSlider*>("tradeoff")->setFocus();
  QTest::keyClick(&open.window, Qt::Key_F1);
  CHECK(bubble_text().contains(ui::help_title(Help::predicted)));
  CHECK(bubble_text().contains("KL = "));
  keep_picture(*bubble(), "help-bubble");
  close_bubble();
  CHECK_FALSE(bubble());
  open.window.findChild<QWidget*>("routing_canvas")->setFocus();
  open.explain();
  CHECK(bubble_text().contains(ui::help_title(Help::routing)));
  close_bubble();
  open.run().show_step(RunPages::evaluate);
  open.window.findChild<QTableView*>("history")->setFocus();
  open.explain();
  CHECK(bubble_text().contains(ui::help_title(Help::measurements)));
  close_bubble();
  open.window.show_start();
  open.explain();
  auto* dialog = open.window.findChild<QDialog*>("words");
  REQUIRE(dialog);
  const QString all = dialog->findChild<QTextBrowser*>()->toPlainText();
  for (int i = 0; i < ui::help_count; ++i) CHECK(all.contains(ui::help_title(static_cast<Help>(i))));
}

TEST_CASE("the wizard's Help button explains the page") {
  const testing::WizardGround ground;
  const StandInEngine engine(StandInEngine::complaining("The plan cannot be made.", "", 2));
  ui::ConversionWizard wizard(engine.engine());
  wizard.show();
  wizard.button(QWizard::HelpButton)->click();
  CHECK(bubble_text().contains(ui::help_title(Help::choose_model)));
  close_bubble();
  wizard.set_model(ground.model());
  testing::go_on(wizard);
  wizard.button(QWizard::HelpButton)->click();
  CHECK(bubble_text().contains(ui::help_title(Help::choose_text)));
  close_bubble();
}

TEST_CASE("help is drawn in the dark") {
  QApplication::setPalette(testing::dark_palette());
  OpenWindow open;
  keep_picture(open.window, "help-marks-dark");
  open.window.findChild<QSlider*>("tradeoff")->setFocus();
  open.explain();
  REQUIRE(bubble());
  const QImage image = bubble()->grab().toImage();
  CHECK(image.pixelColor(4, 4).lightness() < 128);
  keep_picture(*bubble(), "help-bubble-dark");
  close_bubble();
  QApplication::setPalette(QPalette());
}
