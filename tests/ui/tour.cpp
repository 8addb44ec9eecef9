// The tour of the first run.
#include "ui/mainwindow/tour.h"

#include <doctest/doctest.h>

#include <QAction>
#include <QApplication>
#include <QLabel>
#include <QPushButton>
#include <QSettings>
#include <QSlider>
#include <QTest>
#include <QUndoStack>

#include "opened_run.h"
#include "palettes.h"
#include "ui/mainwindow/main_window.h"
#include "ui/mainwindow/run_pages.h"
#include "ui/settings/settings.h"

using namespace ladimo;
using ladimo::testing::child;
using ladimo::testing::keep_picture;
using ladimo::testing::StandInEngine;
using ladimo::testing::wait_until;
using ui::RunPages;
using ui::Tour;

namespace {

struct Newcomer {
  Newcomer()
      : engine("case $1 in\nserve) exec sleep 60 ;;\nesac\n" +
               StandInEngine::finding(testing::example_show().dump())),
        window(engine.engine()) {
    window.resize(1000, 660);
    window.show();
    window.activateWindow();
    REQUIRE(QTest::qWaitForWindowActive(&window));
  }
  void open_run() {
    window.open_run("/some/run");
    REQUIRE(wait_until([&] { return window.findChild<QSlider*>("tradeoff") != nullptr; }));
    QTest::qWait(20);
  }
  Tour* tour() {
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    return window.findChild<Tour*>();
  }
  QRect in_window(const char* name) {
    QWidget& widget = child<QWidget>(window, name);
    return {widget.mapTo(&window, QPoint()), widget.size()};
  }

  StandInEngine engine;
  ui::MainWindow window;
};

void press(Tour& tour, const char* button) { child<QPushButton>(tour, button).click(); }

}  // namespace

TEST_CASE("a bubble is put where it covers little") {
  const QRect window(0, 0, 1000, 600);
  const QSize size(300, 100);
  const std::pair<QRect, QRect> rows[] = {{{0, 0, 400, 500}, {400, 0, 300, 100}},     // right of it
                                          {{500, 0, 500, 500}, {200, 0, 300, 100}},   // left of it
                                          {{0, 0, 1000, 30}, {0, 30, 300, 100}},      // below it
                                          {{0, 500, 1000, 60}, {0, 400, 300, 100}}};  // above it
  for (const auto& [about, place] : rows) CHECK(ui::place_beside(about, size, window) == place);
  // Nothing is free: it stays within the window.
  CHECK(window.contains(ui::place_beside(window, size, window)));
}

TEST_CASE("the tour is shown with the first run, once, and leads through four stops") {
  QSettings().clear();
  {
    Newcomer newcomer;
    newcomer.window.greet();
    CHECK_FALSE(newcomer.tour());
    newcomer.open_run();
    Tour* tour = newcomer.tour();
    REQUIRE(tour);
    const char* abouts[] = {"layer_table", "routing_plot", "tradeoff", "breadcrumb"};
    for (int stop = 0; stop < 4; ++stop) {
      CAPTURE(stop);
      CHECK(tour->stop() == stop);
      CHECK(tour->isVisible());
      CHECK(newcomer.window.rect().contains(tour->geometry()));
      CHECK_FALSE(tour->geometry().intersects(newcomer.in_window(abouts[stop])));
      keep_picture(newcomer.window, QStringLiteral("tour-%1").arg(stop + 1));
      press(*tour, "tour_next");
    }
    CHECK_FALSE(newcomer.tour());
  }
  Newcomer again;
  again.window.greet();
  again.open_run();
  CHECK_FALSE(again.tour());
  again.window.findChild<QAction*>("tour_action")->trigger();
  CHECK(again.tour());
}

TEST_CASE("the tour can be walked and left by keyboard, and gives the focus back") {
  QSettings().clear();
  Newcomer newcomer;
  newcomer.window.greet();
  newcomer.open_run();
  Tour* tour = newcomer.tour();
  REQUIRE(tour);
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_Return);
  CHECK(tour->stop() == 1);
  press(*tour, "tour_back");
  CHECK(tour->stop() == 0);
  QTest::keyClick(QApplication::focusWidget(), Qt::Key_Escape);
  CHECK_FALSE(newcomer.tour());
  CHECK(QApplication::focusWidget() == newcomer.window.findChild<QSlider*>("tradeoff"));
  CHECK(remembered(ui::keys::tour_seen));
}

TEST_CASE("the tour blocks nothing, follows its widget and ends with it") {
  QSettings().clear();
  Newcomer newcomer;
  newcomer.window.greet();
  newcomer.open_run();
  Tour* tour = newcomer.tour();
  REQUIRE(tour);
  auto& slider = child<QSlider>(newcomer.window, "tradeoff");
  const int value = slider.value();
  QTest::keyClick(&slider, Qt::Key_PageUp);
  CHECK(slider.value() != value);

  press(*tour, "tour_next");
  press(*tour, "tour_next");
  const QRect before = tour->geometry();
  newcomer.window.resize(1000, 600);
  QTest::qWait(50);
  CHECK(tour->geometry() != before);
  CHECK_FALSE(tour->geometry().intersects(newcomer.in_window("tradeoff")));

  auto& run = *newcomer.window.findChild<RunPages*>();
  run.show_step(RunPages::evaluate);
  QTest::qWait(50);
  CHECK_FALSE(tour->isVisible());
  run.show_step(RunPages::policy);
  QTest::qWait(50);
  CHECK(tour->isVisible());
  run.undo_stack()->undo();
  newcomer.window.show_start();
  QTest::qWait(50);
  CHECK_FALSE(newcomer.tour());
}

TEST_CASE("the tour is drawn in the dark, and fits the smallest window") {
  QApplication::setPalette(testing::dark_palette());
  QSettings().clear();
  Newcomer newcomer;
  newcomer.window.greet();
  newcomer.window.resize(960, 600);
  newcomer.open_run();
  Tour* tour = newcomer.tour();
  REQUIRE(tour);
  press(*tour, "tour_next");
  CHECK(newcomer.window.rect().contains(tour->geometry()));
  CHECK(tour->grab().toImage().pixelColor(tour->width() / 2, 5).lightness() < 128);
  keep_picture(newcomer.window, "tour-dark");
  QApplication::setPalette(QPalette());
}
