// The context menu of plots: by right click, by the Menu key and by Shift+F10, anywhere on the plot.
#include <doctest/doctest.h>

#include <functional>

#include <QApplication>
#include <QMenu>
#include <QTest>
#include <QTimer>
#include <QWindow>

#include <qcustomplot.h>

#include "ui/plots/load_plot.h"
#include "ui/widgets/context_key.h"

using namespace ladimo::ui;

namespace {

/// The first entry of the menu that `ask` opens; empty where none opens. Closes the menu.
QString menu_by(const std::function<void()>& ask) {
  QString entry;
  QTimer look;
  QObject::connect(&look, &QTimer::timeout, [&] {
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    if (!menu) return;
    entry = menu->actions().first()->text();
    menu->close();
  });
  look.start(20);
  ask();
  QTest::qWait(100);
  return entry;
}

}  // namespace

TEST_CASE("a plot's menu opens by mouse and keyboard, anywhere on the plot") {
  const ContextKey keys(nullptr);
  LoadPlot plot;
  plot.set_load({0.9, 0.3, 0.3, 0.3});
  plot.resize(500, 400);
  plot.show();
  REQUIRE(QTest::qWaitForWindowExposed(&plot));
  auto& canvas = *plot.findChild<QCustomPlot*>();
  const QRect area = canvas.geometry();
  const QPoint places[] = {
      area.center(), {5, area.center().y()}, {area.center().x(), area.bottom() - 5}, {10, 5}};
  for (const QPoint& place : places) {
    CAPTURE(place.x());
    CAPTURE(place.y());
    CHECK(menu_by([&] { QTest::mouseClick(plot.windowHandle(), Qt::RightButton, {}, place); }) ==
          "&Copy picture");
  }
  QTest::mouseClick(plot.windowHandle(), Qt::LeftButton, {}, area.center());
  CHECK(canvas.hasFocus());  // a click is enough for the keys
  CHECK(menu_by([&] { QTest::keyClick(&canvas, Qt::Key_Menu); }) == "&Copy picture");
  CHECK(menu_by([&] { QTest::keyClick(&canvas, Qt::Key_F10, Qt::ShiftModifier); }) == "&Copy picture");
  CHECK(menu_by([&] { QTest::keyClick(&canvas, Qt::Key_F10); }).isEmpty());
}

TEST_CASE("a plot does not become smaller than its labels") {
  LoadPlot plot;
  plot.set_load({0.9, 0.3, 0.3, 0.3});
  plot.show();
  plot.resize(10, 10);
  QCoreApplication::processEvents();
  auto& canvas = *plot.findChild<QCustomPlot*>();
  canvas.replot();
  CHECK(canvas.axisRect()->height() > 3 * canvas.fontMetrics().height());
  CHECK(canvas.axisRect()->width() > 3 * canvas.fontMetrics().height());
}
