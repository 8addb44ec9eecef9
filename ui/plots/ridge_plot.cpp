#include "ui/plots/ridge_plot.h"

#include <algorithm>
#include <cmath>

#include <QMouseEvent>

#include <qcustomplot.h>

#include "ui/models/divided_histogram.h"
#include "ui/models/numbers.h"
#include "ui/models/theme.h"
#include "ui/plots/ridges.h"
#include "ui/plots/tick_room.h"
#include "ui/plots/weight_axis.h"

namespace ladimo::ui {
namespace {

using Rule = Division::Rule;

QString in_words(const Division& division) {
  switch (division.rule) {
    case Rule::unknown:
      return RidgePlot::tr("no weights");
    case Rule::threshold:
      return RidgePlot::tr("threshold %1, %2 run")
          .arg(number_text(division.edge), percent_text(division.running));
    default:
      return division.words;
  }
}

}  // namespace

RidgePlot::RidgePlot(QWidget* parent)
    : Plot(tr("All layers: routing weights"),
           tr("The weights of all layers appear here with the routing profile."), Help::all_layers, parent) {
  QCustomPlot& plot = canvas();
  plot.setObjectName(QStringLiteral("ridge_canvas"));
  ridges_ = new Ridges(plot);
  plot.xAxis->setTicker(weight_ticker(*plot.xAxis));
  plot.xAxis->setSubTicks(false);
  plot.yAxis->setTicker(whole_number_ticker(*plot.yAxis));
  plot.yAxis->setSubTicks(false);
  plot.yAxis->grid()->setVisible(false);
  plot.yAxis->setLabel(tr("Layer"));
  plot.yAxis->setRangeReversed(true);
  setToolTip(tr(
      "The histogram of every layer. What runs is coloured; a line marks the threshold, a dotted line what a "
      "top-k amounts to. Dense layers are outlined. Click to select a layer."));
  show_empty();
}

void RidgePlot::set_counts(std::vector<HistogramCounts> layers, const QString& axis) {
  canvas().xAxis->setLabel(axis);
  ridges_->set_counts(layers);
  double left = highest_log_weight(), right = lowest_log_weight();
  for (const HistogramCounts& counts : layers) {
    if (counts.empty() || total_of(counts) <= 0) continue;
    const LogRange range = log_range_of(counts);
    left = std::min(left, range.left);
    right = std::max(right, range.right);
  }
  if (left >= right) return show_empty();
  set_range(*canvas().xAxis, left, right);
  set_range(*canvas().yAxis, -1.3, ridges_->layers() - 0.5);  // the first ridge is higher than its row
  show_plot();
}

void RidgePlot::set_divisions(std::vector<Division> divisions) {
  if (divisions == divisions_) return;
  divisions_ = std::move(divisions);
  ridges_->set_divisions(divisions_);
  if (!empty()) redraw();
}

void RidgePlot::set_row(int layer) {
  frame_.set_row(layer);
  if (!empty()) frame_.replot();
}

int RidgePlot::layer_at(double x, double y) const {
  const int layer = static_cast<int>(std::lround(std::max(y, 0.0)));  // the first ridge begins above its row
  return canvas().xAxis->range().contains(x) && canvas().yAxis->range().contains(y) &&
                 layer < ridges_->layers()
             ? layer
             : -1;
}

QString RidgePlot::read_out(double x, double y) const {
  const int layer = layer_at(x, y);
  if (layer < 0 || static_cast<std::size_t>(layer) >= divisions_.size()) return {};
  return tr("Layer %1: %2")
      .arg(QString::number(layer), in_words(divisions_[static_cast<std::size_t>(layer)]));
}

bool RidgePlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched == &canvas() && event->type() == QEvent::MouseButtonPress && !empty()) {
    const auto& mouse = static_cast<const QMouseEvent&>(*event);
    const int layer = layer_at(canvas().xAxis->pixelToCoord(mouse.position().x()),
                               canvas().yAxis->pixelToCoord(mouse.position().y()));
    if (mouse.button() == Qt::LeftButton && layer >= 0) emit row_clicked(layer);
  }
  return Plot::eventFilter(watched, event);
}

Rows RidgePlot::numbers() const {
  Rows rows{{tr("layer"), tr("policy"), tr("threshold"), tr("share that runs")}};
  for (std::size_t layer = 0; layer < divisions_.size(); ++layer) {
    const Division& division = divisions_[layer];
    rows << QStringList{QString::number(layer), in_words(division),
                        division.rule == Rule::threshold ? csv_number(division.edge) : QString(),
                        csv_number(division.running)};
  }
  return rows;
}

void RidgePlot::recolour(const Theme& theme) {
  ridges_->set_theme(theme);
  frame_.set_colour(theme.accent);
}

}  // namespace ladimo::ui
