// Zooming into a plot: with the wheel at the pointer, with + and - at the middle. Shift moves the view with
// the wheel or the arrow keys; 0 shows everything. A double click does not, because its first click may act
// on what the plot shows.
#pragma once

#include <map>

class QCPAxis;
class QCustomPlot;
class QKeyEvent;
class QWheelEvent;

namespace ladimo::ui {

class Zoom {
 public:
  explicit Zoom(QCustomPlot& plot) : plot_(plot) {}

  /// Gives an axis the range that shows everything. Other axes are not zoomed. A view that somebody zoomed
  /// into stays as far as it is inside.
  void set_range(QCPAxis& axis, double low, double high);
  /// Whether some axis shows a part.
  bool zoomed() const;
  /// Shows everything. Returns whether the view changed, as the others do.
  bool out();
  /// On a page that scrolls, only with Ctrl, because the wheel alone scrolls.
  bool wheel(const QWheelEvent& event);
  bool key(const QKeyEvent& event);

 private:
  struct Range {
    double low, high;
    bool log;  // a range of another scale says nothing
    bool operator==(const Range&) const = default;
  };
  static Range shown(const QCPAxis& axis);
  bool scale(double factor, double x, double y);
  bool move(double share);
  bool show(QCPAxis& axis, double low, double high);

  QCustomPlot& plot_;
  std::map<QCPAxis*, Range> whole_;
};

}  // namespace ladimo::ui
