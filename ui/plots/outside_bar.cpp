#include "ui/plots/outside_bar.h"

#include <algorithm>

#include <qcustomplot.h>

#include "ui/models/numbers.h"
#include "ui/models/theme.h"

namespace ladimo::ui {
namespace {

QCPBars* add_bar(QCustomPlot& plot) {
  auto* bars = new QCPBars(plot.xAxis, plot.yAxis);
  bars->setPen(Qt::NoPen);
  bars->setAntialiased(false);
  return bars;
}

}  // namespace

OutsideBar::OutsideBar(QCustomPlot& plot, End end)
    : plot_(plot), end_(end), runs_(add_bar(plot)), rests_(add_bar(plot)), number_(new QCPItemText(&plot)) {
  rests_->moveAbove(runs_);
  runs_->setObjectName(QStringLiteral("outside_runs"));
  rests_->setObjectName(QStringLiteral("outside_rests"));
  number_->setObjectName(QStringLiteral("outside_number"));
  number_->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  number_->setPositionAlignment(Qt::AlignTop | (end == End::lower ? Qt::AlignLeft : Qt::AlignRight));
  number_->setVisible(false);
}

void OutsideBar::place(double edge, double width, double percent, double running) {
  percent_ = percent;
  running_ = std::clamp(running, 0.0, percent);
  const QCPRange range = plot_.yAxis->range();
  const bool log = plot_.yAxis->scaleType() == QCPAxis::stLogarithmic;
  const double x = end_ == End::lower ? edge - width / 2 : edge + width / 2;
  for (QCPBars* bars : {runs_, rests_}) {
    bars->setWidth(width);
    bars->setBaseValue(log ? range.lower : 0);
  }
  // A stacked bar begins where the lower one ends, or at its own base if that one is empty.
  runs_->setData({x}, {running_});
  rests_->setData({x}, {percent_ - running_});
  for (QCPBars* bars : {runs_, rests_}) bars->setVisible(percent_ > 0);
  const bool higher = percent_ > range.upper;
  number_->setVisible(higher);
  const QString amount = QStringLiteral("▲ %1 %").arg(number_text(percent_));
  number_->setText(end_ == End::lower ? QStringLiteral("◂ ") + amount : amount + QStringLiteral(" ▸"));
  number_->position->setCoords(end_ == End::lower ? edge - width : edge + width,
                               0.14);  // under the label of the threshold
}

void OutsideBar::recolour(const Theme& theme, const QFont& font) {
  runs_->setBrush(theme.converted);
  rests_->setBrush(theme.off);
  number_->setColor(theme.text);
  number_->setBrush(theme.background);
  number_->setFont(font);
}

}  // namespace ladimo::ui
