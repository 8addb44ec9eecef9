#include "ui/plots/routing_plot.h"

#include <doctest/doctest.h>

#include <cmath>
#include <tuple>

#include <QComboBox>
#include <QSignalSpy>
#include <QTest>
#include <QToolTip>

#include <qcustomplot.h>

#include "base/format.h"
#include "example_run.h"
#include "tick_labels.h"

using namespace ladimo;
using namespace ladimo::ui;

namespace {

using Rule = Division::Rule;

Division above(double threshold) { return {Rule::threshold, threshold, 0.5}; }
Division dense() { return {Rule::unused, 0, 0, "dense"}; }

struct Shown {
  Shown() {
    const LayerProfile layer = testing::example_profile().layers[0];
    plot.set_counts(layer.all, layer.top1);
    plot.set_division(above(0.03));
    plot.resize(600, 400);
    plot.show();
    QCoreApplication::processEvents();
    canvas->replot();
  }
  QPoint at(double weight) const {
    return {int(std::lround(canvas->xAxis->coordToPixel(std::log10(weight)))), canvas->height() / 2};
  }
  RoutingPlot plot;
  QCustomPlot* canvas = plot.findChild<QCustomPlot*>();
};

void drag_to(QCustomPlot* canvas, QPoint position) {
  QMouseEvent move(QEvent::MouseMove, position, canvas->mapToGlobal(position), Qt::NoButton, Qt::LeftButton,
                   Qt::NoModifier);
  QCoreApplication::sendEvent(canvas, &move);
}

}  // namespace

TEST_CASE("dragging the threshold by N moves gives N changes, one commit and no full replot") {
  Shown shown;
  QSignalSpy changed(&shown.plot, &RoutingPlot::changed);
  QSignalSpy committed(&shown.plot, &RoutingPlot::committed);
  QSignalSpy replots(shown.canvas, &QCustomPlot::afterReplot);
  QTest::mousePress(shown.canvas, Qt::LeftButton, {}, shown.at(0.03));
  for (const double weight : {0.032, 0.035, 0.04, 0.045, 0.05}) drag_to(shown.canvas, shown.at(weight));
  QTest::mouseRelease(shown.canvas, Qt::LeftButton, {}, shown.at(0.05));
  CHECK(changed.count() == 5);
  CHECK(committed.count() == 1);
  CHECK(replots.count() == 0);
  CHECK(*shown.plot.threshold() == doctest::Approx(0.05).epsilon(0.02));
  CHECK(committed[0][0].toDouble() == *shown.plot.threshold());
}

TEST_CASE("a press elsewhere moves nothing") {
  Shown shown;
  QSignalSpy changed(&shown.plot, &RoutingPlot::changed);
  QTest::mousePress(shown.canvas, Qt::LeftButton, {}, shown.at(0.06));
  drag_to(shown.canvas, shown.at(0.05));
  QTest::mouseRelease(shown.canvas, Qt::LeftButton, {}, shown.at(0.05));
  CHECK(changed.count() == 0);
  shown.plot.set_division({});
  QTest::mousePress(shown.canvas, Qt::LeftButton, {}, shown.at(0.03));
  drag_to(shown.canvas, shown.at(0.05));
  CHECK(changed.count() == 0);
}

TEST_CASE("a dashed line decides nothing until it is dragged") {
  Shown shown;
  const auto* bars = shown.canvas->findChild<QCPBars*>();
  shown.plot.set_view(RoutingPlot::View::selected);
  shown.plot.set_division(dense());
  const int all = bars->dataCount();
  CHECK_FALSE(shown.plot.threshold());
  const auto* line = shown.canvas->findChild<QCPItemStraightLine*>();
  CHECK(line->visible());
  CHECK(line->pen().style() == Qt::DashLine);
  CHECK(line->point1->coords().x() == shown.canvas->xAxis->range().lower);
  QSignalSpy changed(&shown.plot, &RoutingPlot::changed);
  const QPoint edge(int(std::lround(shown.canvas->xAxis->coordToPixel(line->point1->coords().x()))),
                    shown.canvas->height() / 2);
  QTest::mousePress(shown.canvas, Qt::LeftButton, {}, edge);
  drag_to(shown.canvas, shown.at(0.03));
  QTest::mouseRelease(shown.canvas, Qt::LeftButton, {}, shown.at(0.03));
  CHECK(changed.count() == 1);
  REQUIRE(shown.plot.threshold());
  CHECK(*shown.plot.threshold() == doctest::Approx(0.03).epsilon(0.02));
  CHECK(line->pen().style() == Qt::SolidLine);
  CHECK(bars->dataCount() < all);
}

TEST_CASE("the axis is extended for a line that would leave it") {
  Shown shown;
  const auto* axis = shown.canvas->xAxis;
  const auto* line = shown.canvas->findChild<QCPItemStraightLine*>();
  REQUIRE_FALSE(axis->range().contains(std::log10(5.0)));
  shown.plot.set_division({Rule::strongest, 5.0, 0.02, "≈ top 1"});
  CHECK(line->point1->coords().x() == doctest::Approx(std::log10(5.0)));
  CHECK(axis->range().contains(line->point1->coords().x()));
  shown.plot.set_division(above(2e-4));
  CHECK(axis->range().contains(line->point1->coords().x()));
}

TEST_CASE("keys move the threshold by one bin") {
  Shown shown;
  QSignalSpy committed(&shown.plot, &RoutingPlot::committed);
  const double bin = histogram_edge(2) / histogram_edge(1);
  QTest::keyClick(shown.canvas, Qt::Key_Right);
  CHECK(*shown.plot.threshold() == doctest::Approx(0.03 * bin));
  QTest::keyClick(shown.canvas, Qt::Key_Left);
  QTest::keyClick(shown.canvas, Qt::Key_Left);
  CHECK(*shown.plot.threshold() == doctest::Approx(0.03 / bin));
  CHECK(committed.count() == 3);
}

TEST_CASE(
    "the histogram shows all experts, the strongest, or those that run, on a linear or logarithmic axis") {
  Shown shown;
  const auto* bars = shown.canvas->findChild<QCPBars*>();
  REQUIRE(bars != nullptr);
  const int all = bars->dataCount();
  double sum = 0;
  for (const auto* all_bars : shown.canvas->findChildren<QCPBars*>())  // also of what is outside
    for (const auto& bar : *all_bars->data()) sum += bar.value;
  CHECK(sum == doctest::Approx(100).epsilon(0.001));
  shown.plot.set_view(RoutingPlot::View::selected);
  CHECK(bars->dataCount() < all);
  CHECK(bars->data()->begin()->key > std::log10(0.029));
  shown.plot.set_division(above(0.05));
  CHECK(bars->data()->begin()->key > std::log10(0.049));
  shown.plot.set_view(RoutingPlot::View::top1);
  CHECK(bars->data()->at(bars->dataCount() / 2)->key > std::log10(0.03));
  shown.plot.set_log_counts(true);
  CHECK(shown.canvas->yAxis->scaleType() == QCPAxis::stLogarithmic);
  CHECK(shown.canvas->yAxis->range().lower > 0);
  CHECK(bars->baseValue() > 0);
}

TEST_CASE("for experts that run, the pointer reads the bar; a top-k counts from its equivalent threshold") {
  Shown shown;
  const auto* bars = shown.canvas->findChild<QCPBars*>();
  const int all = bars->dataCount();
  shown.plot.set_view(RoutingPlot::View::selected);
  const auto& bar = *bars->data()->at(bars->dataCount() / 2);
  const QPoint over = shown.at(std::pow(10, bar.key));
  QMouseEvent move(QEvent::MouseMove, over, shown.canvas->mapToGlobal(over), Qt::NoButton, Qt::NoButton,
                   Qt::NoModifier);
  QCoreApplication::sendEvent(shown.canvas, &move);
  CHECK(QToolTip::text().startsWith(QString::fromStdString(format_number(bar.value)) +
                                    " % of the weights that run"));
  CHECK(shown.canvas->yAxis->label() == "% of the weights that run");
  shown.plot.set_division({Rule::strongest, 0.04, 0.25, "≈ top 12"});
  CHECK(bars->dataCount() < all);
  CHECK(bars->data()->begin()->key > std::log10(0.039));
}

namespace {

/// How much of the axis is dimmed: the part of the width between the ends of the bins.
double dimmed(const Shown& shown) {
  const auto* veil = shown.canvas->findChild<QCPItemRect*>();
  if (!veil->visible()) return 0;
  return (veil->bottomRight->coords().x() - veil->topLeft->coords().x()) /
         shown.canvas->xAxis->range().size();
}

/// The two parts of the bar at the left end: what runs, and what does not.
std::pair<double, double> below(const Shown& shown) {
  const auto value = [&](const char* name) {
    const auto* bars = shown.canvas->findChild<QCPBars*>(name);
    return bars->visible() ? bars->data()->begin()->value : 0;
  };
  return {value("outside_runs"), value("outside_rests")};
}

}  // namespace

TEST_CASE("what does not run is dimmed, whatever decides it") {
  Shown shown;
  CHECK(dimmed(shown) > 0.1);
  CHECK(dimmed(shown) < 0.9);
  shown.plot.set_division({Rule::strongest, 0.03, 0.4, "≈ top 12"});
  CHECK(dimmed(shown) > 0.1);
  CHECK(dimmed(shown) < 0.9);
  shown.plot.set_view(RoutingPlot::View::top1);
  CHECK(dimmed(shown) == 0);  // the strongest of each token always runs
  shown.plot.set_view(RoutingPlot::View::all);
  shown.plot.set_division({Rule::none, 0, 0, "shared experts only"});
  CHECK(dimmed(shown) > 0.9);
  shown.plot.set_division(dense());
  CHECK(dimmed(shown) > 0.9);
  shown.plot.set_division({Rule::all, 0, 1, "all"});
  CHECK(dimmed(shown) == 0);
  shown.plot.set_division({});
  CHECK(dimmed(shown) == 0);
}

TEST_CASE("weights below the axis are a bar at its end, of which a part runs") {
  Shown shown;
  HistogramCounts counts = testing::example_profile().layers[0].all;
  double inside = 0;
  for (const auto count : counts) inside += static_cast<double>(count);
  counts[0] = static_cast<std::int64_t>(inside);  // as many lie below
  shown.plot.set_counts(counts);
  auto [runs, rests] = below(shown);
  CHECK(runs == 0);
  CHECK(rests == doctest::Approx(50).epsilon(0.02));
  const auto* number = shown.canvas->findChild<QCPItemText*>("outside_number");
  CHECK(number->visible());  // the bar is higher than the axis
  CHECK(number->text().contains("▲"));
  shown.plot.set_division({Rule::threshold, -0.1, 0.8});
  std::tie(runs, rests) = below(shown);
  CHECK(runs == doctest::Approx(30).epsilon(0.05));
  CHECK(rests == doctest::Approx(20).epsilon(0.05));
  CHECK(dimmed(shown) == 0);
  shown.plot.set_division({Rule::all, 0, 1, "all"});
  CHECK(below(shown).second == doctest::Approx(0));
}

TEST_CASE("the wheel zooms into the weights, and 0 shows all of them") {
  Shown shown;
  const auto* axis = shown.canvas->xAxis;
  const QCPRange whole = axis->range();
  const QPointF at = shown.at(0.04);
  const auto turn = [&](int degrees) {
    QWheelEvent wheel(at, shown.canvas->mapToGlobal(at), {}, {0, 8 * degrees}, Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(shown.canvas, &wheel);
    return wheel.isAccepted();
  };
  CHECK(turn(15));
  CHECK(axis->range().size() == doctest::Approx(0.8 * whole.size()));
  CHECK(axis->pixelToCoord(at.x()) == doctest::Approx(std::log10(0.04)).epsilon(0.01));
  shown.plot.set_division(above(0.032));
  CHECK(axis->range().size() == doctest::Approx(0.8 * whole.size()));  // stays
  QTest::mouseDClick(shown.canvas, Qt::LeftButton);  // its first click may act on what is shown
  CHECK(axis->range().size() == doctest::Approx(0.8 * whole.size()));
  QTest::keyClick(shown.canvas, Qt::Key_0);
  CHECK(axis->range() == whole);
  CHECK_FALSE(turn(-15));  // there is nothing more to show
  QTest::keyClick(shown.canvas, Qt::Key_Plus);
  CHECK(axis->range().size() < whole.size());
  const double left = axis->range().lower;
  QTest::keyClick(shown.canvas, Qt::Key_Right, Qt::ShiftModifier);
  CHECK(axis->range().lower > left);
}

TEST_CASE("counts can grow live without a policy, and no counts show the empty state") {
  RoutingPlot plot;
  CHECK(plot.empty());
  HistogramCounts counts(histogram_bins + 2, 0);
  plot.set_counts(counts);
  CHECK(plot.empty());
  counts[100] = 5;
  plot.set_counts(counts);
  CHECK_FALSE(plot.empty());
  CHECK_FALSE(plot.findChild<QComboBox*>()->isEnabled());
  CHECK(plot.csv().split('\n').size() == 1 + histogram_bins + 2 + 1);
  CHECK(plot.csv().contains(",5,"));
  plot.set_counts({});
  CHECK(plot.empty());
}

TEST_CASE("the curve falls from all weights to none") {
  Shown shown;
  const auto data = shown.canvas->graph(0)->data();
  CHECK(data->begin()->value == doctest::Approx(100));
  CHECK((data->end() - 1)->value == doctest::Approx(0));
  CHECK(shown.canvas->yAxis2->visible());
}

TEST_CASE("the weights under the axis stand apart, however narrow the plot is") {
  Shown shown;
  CHECK(shown.canvas->xAxis->tickVector().size() >= 3);
  for (const int width : {600, 300, 220, 160, 130}) {
    CAPTURE(width);
    shown.plot.resize(width, 400);
    QTest::qWait(100);  // it is drawn again when the size of the axes is known
    CHECK(labels_are_apart(*shown.canvas->xAxis));
    CHECK_FALSE(shown.canvas->xAxis->tickVector().isEmpty());
  }
}
