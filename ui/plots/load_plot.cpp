#include "ui/plots/load_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"

namespace ladimo::ui {
namespace {

struct Shape {
  QCPScatterStyle::ScatterShape shape;
  bool filled;
  char16_t sign;
};
constexpr std::array shapes{
    Shape{QCPScatterStyle::ssCircle, false, u'○'}, Shape{QCPScatterStyle::ssDiamond, true, u'◆'},
    Shape{QCPScatterStyle::ssTriangle, false, u'△'}, Shape{QCPScatterStyle::ssSquare, true, u'■'},
    Shape{QCPScatterStyle::ssCross, false, u'×'}};
constexpr double marker_size = 5;

QString percent(double share) { return number_text(100 * share); }

/// Each expert's share of all routed experts that run, in per cent.
QVector<double> shares_of(const std::vector<double>& load) {
  const double sum = std::accumulate(load.begin(), load.end(), 0.0);
  QVector<double> shares;
  for (const double one : load) shares << (sum > 0 ? 100 * one / sum : 0);
  return shares;
}

QVector<double> numbers_of(const std::vector<double>& load) {
  QVector<double> numbers(static_cast<qsizetype>(load.size()));
  std::iota(numbers.begin(), numbers.end(), 0.0);
  return numbers;
}

}  // namespace

LoadPlot::LoadPlot(QWidget* parent)
    : Plot(tr("Expert load with half of the experts on"),
           tr("How often each expert runs appears here once the run has a routing profile."), Help::load,
           parent) {
  QCustomPlot& plot = canvas();
  bars_ = new QCPBars(plot.xAxis, plot.yAxis);
  bars_->setPen(Qt::NoPen);
  bars_->setAntialiased(false);
  even_ = new QCPItemStraightLine(&plot);
  plot.xAxis->setLabel(tr("Routed expert"));
  plot.yAxis->setLabel(tr("% of load"));
  plot.yAxis->ticker()->setTickCount(3);  // the plot is low
  QSharedPointer<QCPAxisTickerFixed> whole(new QCPAxisTickerFixed);
  whole->setTickStep(1);
  whole->setScaleStrategy(QCPAxisTickerFixed::ssMultiples);
  plot.xAxis->setTicker(whole);
  plot.xAxis->setSubTicks(false);
  setToolTip(tr(
      "Of all experts that run, the share of each. The line is an even load, 1/E: far above it an expert is "
      "almost shared, far below almost dead."));
  show_empty();
}

void LoadPlot::set_load(std::vector<double> load, std::vector<Text> texts) {
  load_ = std::move(load);
  texts_ = std::move(texts);
  const QVector<double> shares = shares_of(load_);
  if (std::ranges::all_of(shares, [](double share) { return share <= 0; })) return show_empty();
  const double even = 100.0 / double(load_.size());
  bars_->setWidth(load_.size() > 128 ? 1 : 0.8);
  bars_->setData(numbers_of(load_), shares, true);
  even_->point1->setCoords(0, even);
  even_->point2->setCoords(1, even);
  draw_texts();
  double top = std::max(*std::ranges::max_element(shares), even);
  for (const Text& text : texts_) top = std::max(top, std::ranges::max(shares_of(text.load)));
  set_range(*canvas().xAxis, -0.7, double(load_.size()) - 0.3);
  canvas().yAxis->setRange(0, 1.1 * top);
  show_plot();
}

void LoadPlot::draw_texts() {
  for (QCPGraph* mark : marks_) canvas().removeGraph(mark);
  marks_.clear();
  for (const Text& text : texts_) {
    QCPGraph* mark = canvas().addGraph();
    mark->setLineStyle(QCPGraph::lsNone);
    mark->setData(numbers_of(text.load), shares_of(text.load), true);
    marks_.push_back(mark);
  }
  style_texts();
}

void LoadPlot::style_texts() {
  const Theme theme = theme_of(palette());
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    const Shape& shape = shapes[i % shapes.size()];
    marks_[i]->setScatterStyle(
        {shape.shape, QPen(theme.text, 1.25), shape.filled ? theme.text : theme.background, marker_size});
  }
}

QString LoadPlot::legend() const {
  QStringList names;
  for (std::size_t i = 0; i < texts_.size(); ++i)
    names << QString(QChar(shapes[i % shapes.size()].sign)) + QChar(QChar::Nbsp) +
                 texts_[i].name.toHtmlEscaped();
  return names.join(QStringLiteral("  "));
}

QString LoadPlot::read_out(double x, double) const {
  const long expert = std::lround(x);
  if (expert < 0 || expert >= long(load_.size())) return {};
  const auto e = static_cast<std::size_t>(expert);
  const double share = shares_of(load_)[expert] / 100;
  QStringList lines{
      tr("Expert %1 runs for %2 % of the tokens").arg(QString::number(expert), percent(load_[e])),
      tr("%1 % of the load; even would be %2 %").arg(percent(share), percent(1 / double(load_.size())))};
  for (const Text& text : texts_) lines << tr("%1: %2 % of the tokens").arg(text.name, percent(text.load[e]));
  return lines.join('\n');
}

Rows LoadPlot::numbers() const {
  QStringList header{tr("expert"), tr("share of tokens"), tr("share of load")};
  for (const Text& text : texts_) header << tr("share of tokens of %1").arg(text.name);
  Rows rows{header};
  const QVector<double> shares = shares_of(load_);
  for (std::size_t e = 0; e < load_.size(); ++e) {
    QStringList cells{QString::number(e), csv_number(load_[e]), csv_number(shares[qsizetype(e)] / 100)};
    for (const Text& text : texts_) cells << csv_number(text.load[e]);
    rows << cells;
  }
  return rows;
}

void LoadPlot::recolour(const Theme& theme) {
  bars_->setBrush(theme.converted);
  even_->setPen({theme.text, 1.25, Qt::DashLine});
  style_texts();
}

}  // namespace ladimo::ui
