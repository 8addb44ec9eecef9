#include "ui/plots/row_frame.h"

#include <qcustomplot.h>

namespace ladimo::ui {

RowFrame::RowFrame(QCustomPlot& plot) {
  const QString name = QStringLiteral("frame");
  plot.addLayer(name);
  layer_ = plot.layer(name);
  layer_->setMode(QCPLayer::lmBuffered);
  frame_ = new QCPItemRect(&plot);
  frame_->setLayer(layer_);
  frame_->setVisible(false);
  for (QCPItemPosition* corner : {frame_->topLeft, frame_->bottomRight})
    corner->setTypeX(QCPItemPosition::ptAxisRectRatio);
}

void RowFrame::set_row(int row) {
  frame_->setVisible(row >= 0);
  frame_->topLeft->setCoords(0, row - 0.5);
  frame_->bottomRight->setCoords(1, row + 0.5);
}

void RowFrame::set_colour(const QColor& colour) {
  constexpr double width = 2.5;
  frame_->setPen({colour, width});
}

void RowFrame::replot() { layer_->replot(); }

}  // namespace ladimo::ui
