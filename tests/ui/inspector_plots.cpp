#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include <QFile>
#include <QSignalSpy>
#include <QTest>

#include <qcustomplot.h>

#include "support/temporary_folder.h"
#include "tick_labels.h"
#include "ui/models/theme.h"
#include "ui/plots/frontier_plot.h"
#include "ui/plots/load_plot.h"
#include "ui/plots/matrix_plot.h"
#include "ui/plots/ridge_plot.h"

using namespace ladimo;
using namespace ladimo::ui;

namespace {

template <class P>
QCustomPlot& shown(P& plot) {
  plot.resize(500, 400);
  plot.show();
  QCoreApplication::processEvents();
  auto& canvas = *plot.template findChild<QCustomPlot*>();
  canvas.replot();
  return canvas;
}

QPoint pixel(const QCustomPlot& canvas, double x, double y) {
  return {int(std::lround(canvas.xAxis->coordToPixel(x))), int(std::lround(canvas.yAxis->coordToPixel(y)))};
}

}  // namespace

TEST_CASE("the load is shown as shares of all that runs, against 1/E") {
  LoadPlot plot;
  CHECK(plot.empty());
  plot.set_load({0.9, 0.3, 0.3, 0.3});
  CHECK_FALSE(plot.empty());
  const auto& canvas = shown(plot);
  const auto bars = canvas.findChild<QCPBars*>()->data();
  CHECK(bars->at(0)->value == doctest::Approx(50));
  CHECK(dynamic_cast<QCPItemStraightLine*>(canvas.item(0))->point1->coords().y() == 25);
  CHECK(plot.csv().split('\n')[1] == "0,0.9,0.5");
  CHECK(plot.legend().isEmpty());
  plot.set_load({0.9, 0.3, 0.3, 0.3}, {{"tales.txt", {1, 0, 0.5, 0.5}}, {"books.txt", {0, 0, 0, 1}}});
  CHECK(canvas.graphCount() == 2);
  CHECK(canvas.graph(0)->data()->at(2)->value == doctest::Approx(25));
  CHECK(plot.legend() == "○\u00a0tales.txt  ◆\u00a0books.txt");
  CHECK(canvas.yAxis->range().upper > 100);
  CHECK(plot.csv().split('\n')[1] == "0,0.9,0.5,1,0");
  plot.set_load({});
  CHECK(plot.empty());
}

TEST_CASE("names are quoted in CSV, numbers have all their digits") {
  LoadPlot load;
  load.set_load({0.125, 1.0 / 3}, {{"tales, \"new\".txt", {0.125, 0.5}}});
  CHECK(load.csv().startsWith(
      "expert,share of tokens,share of load,\"share of tokens of tales, \"\"new\"\".txt\"\n"));
  CHECK(load.csv().contains("1,0.3333333333333333,"));
  FrontierPlot frontier;
  frontier.set_frontier(Cost::activated, 1, {{2953984.25, 0.2, 1}});
  CHECK(frontier.csv().contains("frontier,,2953984.25,0.2,"));
}

TEST_CASE("a plot is saved with its title, also as PDF") {
  const testing::TemporaryFolder folder;
  const auto saved = [&](Plot& plot, const char* name) {
    const auto path = QString::fromStdString((folder / name).string());
    CHECK(plot.save_as(path).isEmpty());
    QFile file(path);
    REQUIRE(file.open(QIODevice::ReadOnly));
    return file.readAll();
  };
  LoadPlot plot;
  plot.set_load({0.5, 0.25});
  shown(plot);
  const QByteArray pdf = saved(plot, "load.pdf");
  CHECK(pdf.startsWith("%PDF-"));
  CHECK(pdf.contains("Bold"));  // only the title is bold
  CHECK(saved(plot, "load.csv") == plot.csv().toUtf8());
  CHECK(plot.save_as("load.gif").contains("not as .gif"));
  if (const QString pictures = qEnvironmentVariable("LADIMO_PICTURES"); !pictures.isEmpty())
    QFile::copy(QString::fromStdString((folder / "load.pdf").string()), pictures + "/load.pdf");
}

TEST_CASE("a plot can have the keyboard focus and then has a frame") {
  LoadPlot plot;
  plot.set_load({0.5, 0.25});
  QCustomPlot& canvas = shown(plot);
  plot.activateWindow();
  REQUIRE(QTest::qWaitForWindowActive(&plot));
  const QPoint edge = canvas.mapTo(&plot, QPoint(-1, canvas.height() / 2));
  const QColor accent = theme_of(plot.palette()).accent;
  canvas.setFocus(Qt::TabFocusReason);
  REQUIRE(canvas.hasFocus());
  CHECK(plot.grab().toImage().pixelColor(edge) == accent);
  canvas.clearFocus();
  CHECK(plot.grab().toImage().pixelColor(edge) != accent);
}

TEST_CASE("the colours of heatmaps increase evenly in lightness") {
  double before = -1;
  for (int i = 0; i <= 20; ++i) {
    const QColor colour = heat_colour(i / 20.0);
    const double light = 0.2126 * colour.redF() + 0.7152 * colour.greenF() + 0.0722 * colour.blueF();
    CHECK(light > before);
    before = light;
  }
}

TEST_CASE("a click into a matrix selects a row; unknown rows stay empty") {
  MatrixPlot plot({.about = Help::together,
                   .title = "Load",
                   .empty = "nothing",
                   .row = "layer",
                   .column = "expert",
                   .value = "%",
                   .reading = "layer %1, expert %2: %3"});
  CHECK(plot.empty());
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  plot.set_matrix({3, 2, {10, 20, unknown, unknown, 50, 60}}, 100);
  plot.set_row(2);
  QCustomPlot& canvas = shown(plot);
  QSignalSpy clicked(&plot, &MatrixPlot::row_clicked);
  QTest::mousePress(&canvas, Qt::LeftButton, {}, pixel(canvas, 1, 2));
  REQUIRE(clicked.count() == 1);
  CHECK(clicked[0][0].toInt() == 2);
  QTest::mousePress(&canvas, Qt::LeftButton, {}, pixel(canvas, 0, 5));
  CHECK(clicked.count() == 1);
  QTest::mousePress(&canvas, Qt::LeftButton, {}, pixel(canvas, -0.5, -0.5));  // the very corner
  REQUIRE(clicked.count() == 2);
  CHECK(clicked[1][0].toInt() == 0);
  const QStringList lines = plot.csv().split('\n');
  CHECK(lines[1] == "0,10,20");
  CHECK(lines[2] == "1,,");
  plot.set_matrix({}, 1);
  CHECK(plot.empty());
}

TEST_CASE(
    "the frontier has cheaper policies on the right, a click picks a cost, and a move redraws nothing else") {
  FrontierPlot plot;
  CHECK(plot.empty());
  plot.set_frontier(Cost::activated, 200, {{100, 0.2, 1}, {150, 0.05, 0.5}, {200, 0, 0}});
  plot.set_measured({{150, 0.06, 0.05, {}, "Measured KL 0.0600"}});
  plot.set_saved({{120, 0.1, {}, "calm", "Saved as calm"}});
  plot.set_chosen(150, 0.05);
  QCustomPlot& canvas = shown(plot);
  CHECK(canvas.xAxis->coordToPixel(50) > canvas.xAxis->coordToPixel(100));
  QSignalSpy replots(&canvas, &QCustomPlot::afterReplot);
  plot.set_chosen(120, 0.1);
  plot.set_chosen(130, 0.09);
  CHECK(replots.count() == 0);
  QSignalSpy picked(&plot, &FrontierPlot::picked), ended(&plot, &FrontierPlot::pick_ended);
  QTest::mouseClick(&canvas, Qt::LeftButton, {}, pixel(canvas, 75, 0.1));
  REQUIRE(picked.count() == 1);
  CHECK(picked[0][0].toDouble() == doctest::Approx(150).epsilon(0.02));
  CHECK(ended.count() == 1);
  CHECK(plot.csv().contains("frontier,,150,0.05,\n"));
  CHECK(plot.csv().contains("measured,,150,0.06,0.05\n"));
  CHECK(plot.csv().contains("saved,calm,120,0.1,\n"));
  plot.set_log_kl(false);
  CHECK(canvas.yAxis->range().lower == 0);
}

TEST_CASE("the scales follow the frontier; what lies outside stands at the edge with an arrow") {
  FrontierPlot plot;
  plot.set_frontier(Cost::decode_ms, 10, {{5, 0.2, 1}, {8, 0.05, 0.5}, {10, 0, 0}});
  plot.set_chosen(8, 0.05);
  QCustomPlot& canvas = shown(plot);
  const QCPRange across = canvas.xAxis->range(), up = canvas.yAxis->range();
  const auto arrows = [&] {
    QString found;
    for (int i = 0; i < canvas.itemCount(); ++i)
      if (const auto* text = qobject_cast<QCPItemText*>(canvas.item(i)); text && text->text().size() == 1)
        found += text->text();
    return found;
  };
  plot.set_measured({{8, 0.06, 0.05, {}, {}}});
  CHECK(arrows().isEmpty());
  plot.set_measured({{30, 0.06, 0.05, {}, {}}, {8, 7.5, 0.05, {}, {}, true}});
  CHECK(canvas.xAxis->range() == across);
  CHECK(canvas.yAxis->range() == up);
  CHECK(arrows() == "◀▲");  // the axis is reversed: what is dearer lies on the left
  int marks = 0;
  for (int i = 0; i < canvas.graphCount(); ++i)
    for (const QCPGraphData& point : *canvas.graph(i)->data()) {
      ++marks;
      if (std::isnan(point.value)) continue;
      CHECK(across.contains(point.key));
      CHECK(up.contains(point.value));
    }
  CHECK(marks >= 5);
  CHECK(plot.csv().contains("measured,,8,7.5,0.05"));  // the numbers stay
  CHECK(canvas.xAxis->label().contains("◇ time predicted"));
  plot.set_measured({{8, 0.06, 0.05, {}, {}}});
  CHECK_FALSE(canvas.xAxis->label().contains("◇"));
  plot.set_chosen(8, 0.5);  // not on the frontier, but always visible
  CHECK(canvas.yAxis->range().contains(0.5));
}

TEST_CASE("the slider below the frontier stays where it is while somebody zooms") {
  FrontierPlot plot;
  plot.set_frontier(Cost::activated, 200, {{100, 0.2, 1}, {150, 0.05, 0.5}, {200, 0, 0}});
  QCustomPlot& canvas = shown(plot);
  const double before = plot.across(120);
  CHECK(before ==
        doctest::Approx(canvas.mapTo(&plot, QPoint()).x() + canvas.xAxis->coordToPixel(60)).epsilon(0.001));
  canvas.setFocus();
  QTest::keyClick(&canvas, Qt::Key_Plus);
  CHECK(canvas.xAxis->range().size() < 50);
  CHECK(plot.across(120) == before);
}

TEST_CASE("ridges show all layers, and a click selects one") {
  RidgePlot plot;
  CHECK(plot.empty());
  HistogramCounts counts(histogram_bins + 2, 0);
  for (int bin = 100; bin < 160; ++bin) counts[std::size_t(bin)] = 50;
  plot.set_counts({counts, counts, {}, counts}, "weight");
  CHECK_FALSE(plot.empty());
  plot.set_divisions({{Division::Rule::threshold, 0.05, 0.4},
                      {Division::Rule::strongest, 0.05, 0.25, "≈ top 12"},
                      {},
                      {Division::Rule::unused, 0, 0, "dense"}});
  QCustomPlot& canvas = shown(plot);
  CHECK(canvas.yAxis->tickVector().constFirst() == 0);
  plot.set_row(1);
  QSignalSpy clicked(&plot, &RidgePlot::row_clicked);
  QTest::mousePress(&canvas, Qt::LeftButton, {}, pixel(canvas, canvas.xAxis->range().center(), 3));
  REQUIRE(clicked.count() == 1);
  CHECK(clicked[0][0].toInt() == 3);
  const QStringList lines = plot.csv().split('\n');
  CHECK(lines[1].endsWith(",0.05,0.4"));
  CHECK(lines[2].startsWith("1,≈ top 12,"));
  // Left of the threshold a ridge is grey, right of it orange.
  const QImage image = canvas.grab().toImage();
  const Theme theme = theme_of(plot.palette());
  const QCPRange range = canvas.xAxis->range();
  const auto at = [&](double x) { return image.pixelColor(pixel(canvas, x, 0.3)).rgb(); };
  CHECK(at(std::log10(0.05) - 0.1 * range.size()) == theme.off.rgb());
  CHECK(at(std::log10(0.05) + 0.1 * range.size()) == theme.converted.rgb());
}

TEST_CASE("the numbers of the experts stand apart, however narrow the plot is") {
  MatrixPlot plot({.about = Help::together,
                   .title = "Load",
                   .empty = "nothing",
                   .row = "layer",
                   .column = "expert",
                   .value = "%",
                   .reading = "layer %1, expert %2: %3"});
  for (const int experts : {2, 48, 256, 1024}) {
    plot.set_matrix({1, experts, std::vector<double>(static_cast<std::size_t>(experts), 50)}, 100);
    const QCustomPlot& canvas = shown(plot);
    for (const int width : {500, 240, 190, 170}) {
      CAPTURE(experts);
      CAPTURE(width);
      plot.resize(width, 400);
      QTest::qWait(100);  // it is drawn again when the size of the axes is known
      CHECK(labels_are_apart(*canvas.xAxis));
    }
  }
}
