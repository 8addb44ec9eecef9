#include "ui/plots/loss_plot.h"

#include <doctest/doctest.h>

#include <cmath>

#include <QTest>
#include <QToolTip>

#include <qcustomplot.h>

using namespace ladimo::ui;

namespace {

/// The read-out with the pointer at this step and loss.
QString hover(QCustomPlot& canvas, double step, double loss) {
  const QPointF at(canvas.xAxis->coordToPixel(step), canvas.yAxis->coordToPixel(loss));
  QMouseEvent move(QEvent::MouseMove, at, canvas.mapToGlobal(at), Qt::NoButton, Qt::NoButton, Qt::NoModifier);
  QCoreApplication::sendEvent(&canvas, &move);
  return QToolTip::text();
}

struct Shown {
  explicit Shown(const LossPlot::Curve& curve) {
    plot.set_curve(3, curve);
    plot.select(3);
    plot.resize(600, 400);
    plot.show();
    QCoreApplication::processEvents();
    canvas.replot();
  }
  LossPlot plot;
  QCustomPlot& canvas = *plot.findChild<QCustomPlot*>();
};

}  // namespace

TEST_CASE("if there are only held-out losses, the pointer reads them") {
  Shown shown({.steps = {}, .values = {}, .held_steps = {0, 1, 2}, .held_values = {0.5, 0.25, 0.125}});
  shown.plot.set_step_name("epoch");
  CHECK(hover(shown.canvas, 1.1, 0.4) == "epoch 1, validation: 0.250");
}

TEST_CASE("the pointer reads the line, or a dot when it is on one") {
  Shown shown({.steps = {0, 1, 2, 3, 4},
               .values = {0.5, 0.4, 0.3, 0.2, 0.1},
               .held_steps = {0, 4},
               .held_values = {0.9, 0.05}});
  CHECK(hover(shown.canvas, 2, 0.3) == "Distillation step 2, training: 0.300");
  CHECK(hover(shown.canvas, 4, 0.05) == "Distillation step 4, validation: 0.0500");
  CHECK(hover(shown.canvas, 4, 0.4) == "Distillation step 4, training: 0.100");
}
