// A bar at the end of an axis that stands for everything beyond it.
#pragma once

class QCPBars;
class QCPItemText;
class QCustomPlot;
class QFont;

namespace ladimo::ui {

struct Theme;

class OutsideBar {
 public:
  enum class End { lower, upper };
  OutsideBar(QCustomPlot& plot, End end);

  /// Places the bar beyond `edge` of the x axis, `width` wide. It is as high as `percent`, of which `running`
  /// run; the rest is grey. Where it is higher than the y axis, whose range must be set, an arrow and the
  /// number say so. 0 hides it.
  void place(double edge, double width, double percent, double running);
  double percent() const { return percent_; }
  double running() const { return running_; }
  void recolour(const Theme& theme, const QFont& font);

 private:
  QCustomPlot& plot_;
  End end_;
  double percent_ = 0, running_ = 0;
  QCPBars* runs_;
  QCPBars* rests_;
  QCPItemText* number_;
};

}  // namespace ladimo::ui
