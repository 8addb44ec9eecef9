#include "ui/plots/threshold_line.h"

#include <cmath>

#include <qcustomplot.h>

#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

ThresholdLine::ThresholdLine(QCustomPlot& plot) : plot_(plot) {
  const QString name = QStringLiteral("threshold");
  plot.addLayer(name);
  layer_ = plot.layer(name);
  layer_->setMode(QCPLayer::lmBuffered);
  veil_ = new QCPItemRect(&plot);
  line_ = new QCPItemStraightLine(&plot);
  handle_ = new QCPItemText(&plot);
  for (QCPItemPosition* position :
       {veil_->topLeft, veil_->bottomRight, line_->point1, line_->point2, handle_->position})
    position->setTypeY(QCPItemPosition::ptAxisRectRatio);
  for (QCPAbstractItem* item : std::initializer_list<QCPAbstractItem*>{veil_, line_, handle_})
    item->setLayer(layer_);
  veil_->setPen(Qt::NoPen);
  handle_->setPadding(QMargins(spacing(plot) / 2, 0, spacing(plot) / 2, 0));
  hide();
}

void ThresholdLine::hide() {
  line_->setVisible(false);
  handle_->setVisible(false);
}

void ThresholdLine::place(double x, const QString& words, bool rests) {
  x_ = x;
  rests_ = rests;
  line_->setVisible(true);
  handle_->setVisible(true);
  line_->point1->setCoords(x, 0);
  line_->point2->setCoords(x, 1);
  const bool left = x > plot_.xAxis->range().center();
  handle_->setText(words);
  handle_->setPositionAlignment(Qt::AlignTop | (left ? Qt::AlignRight : Qt::AlignLeft));
  handle_->position->setCoords(x, 0.01);
  style();
}

void ThresholdLine::veil(double from, double to) {
  veil_->setVisible(to > from);
  veil_->topLeft->setCoords(from, 0);
  veil_->bottomRight->setCoords(to, 1);
}

bool ThresholdLine::at(double pixel) const {
  return line_->visible() && std::abs(plot_.xAxis->coordToPixel(x_) - pixel) < spacing(plot_);
}

void ThresholdLine::redraw() { layer_->replot(); }

void ThresholdLine::style() {
  line_->setPen({line_->pen().color(), focused_ ? 3.0 : 2.0, rests_ ? Qt::DashLine : Qt::SolidLine});
}

void ThresholdLine::recolour(const Theme& theme, const QFont& font) {
  line_->setPen({theme.accent, 2.0});
  style();
  QColor veil = theme.background;
  veil.setAlphaF(0.7F);
  veil_->setBrush(veil);
  handle_->setColor(theme.on_accent);
  handle_->setBrush(theme.accent);
  handle_->setFont(font);
}

void ThresholdLine::set_focused(bool focused) {
  focused_ = focused;
  style();
}

}  // namespace ladimo::ui
