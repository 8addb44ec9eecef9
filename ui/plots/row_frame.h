// A frame around one row of a plot, on a layer of its own: moving it draws nothing else again.
#pragma once

#include <QColor>

class QCPItemRect;
class QCPLayer;
class QCustomPlot;

namespace ladimo::ui {

class RowFrame {
 public:
  /// The plot owns what is drawn.
  explicit RowFrame(QCustomPlot& plot);

  /// Frames the row around y = `row`, across the whole plot; -1 hides the frame. Seen after replot().
  void set_row(int row);
  void set_colour(const QColor& colour);
  void replot();

 private:
  QCPLayer* layer_;
  QCPItemRect* frame_;
};

}  // namespace ladimo::ui
