// The threshold on a histogram: a line to drag with a label, and a veil over what is skipped. It is on a
// buffered layer of its own, so a move redraws nothing else.
#pragma once

#include <QString>

class QCPItemRect;
class QCPItemStraightLine;
class QCPItemText;
class QCPLayer;
class QCustomPlot;
class QFont;

namespace ladimo::ui {

struct Theme;

class ThresholdLine {
 public:
  explicit ThresholdLine(QCustomPlot& plot);

  void hide();
  /// Shows the line at `x` of the x axis. A line at rest is dashed: it does not decide anything yet.
  void place(double x, const QString& words, bool rests);
  /// Dims everything between two places of the axis.
  void veil(double from, double to);
  double x() const { return x_; }
  /// Whether the line is shown and near `pixel`.
  bool at(double pixel) const;
  void redraw();
  void recolour(const Theme& theme, const QFont& font);
  /// A focused line is thicker, because keys move it.
  void set_focused(bool focused);

 private:
  void style();

  QCustomPlot& plot_;
  double x_ = 0;
  bool rests_ = false;
  bool focused_ = false;
  QCPLayer* layer_;
  QCPItemRect* veil_;
  QCPItemStraightLine* line_;
  QCPItemText* handle_;
};

}  // namespace ladimo::ui
