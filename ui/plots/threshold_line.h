// The threshold on a histogram: a line to drag with words beside it, and a veil over what is skipped. It lies
// on a buffered layer of its own: a move draws nothing else anew.
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
  /// Shows it at `x` of the x axis. At rest it is dashed: it could decide, and does not.
  void place(double x, const QString& words, bool rests);
  /// Pales what lies left of `x`; at the lower end of the axis or below: nothing.
  void veil(double x);
  double x() const { return x_; }
  /// Whether it is drawn and `pixel` is within reach of it.
  bool at(double pixel) const;
  void redraw();
  void recolour(const Theme& theme, const QFont& font);
  /// Thicker while keys would move it.
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
