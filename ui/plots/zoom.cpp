#include "ui/plots/zoom.h"

#include <algorithm>
#include <cmath>

#include <QKeyEvent>
#include <QScrollArea>
#include <QScrollBar>
#include <QWheelEvent>

#include <qcustomplot.h>

namespace ladimo::ui {
namespace {

constexpr double step = 0.8;         // of the range that stays per notch of the wheel
constexpr double most = 1.0 / 1000;  // the smallest part that can be shown
constexpr double notch = 120;

bool scrolls(const QWidget& widget) {
  for (const QWidget* parent = widget.parentWidget(); parent; parent = parent->parentWidget())
    if (const auto* area = qobject_cast<const QScrollArea*>(parent))
      if (area->verticalScrollBar()->maximum() > 0) return true;
  return false;
}

/// Positions on an axis as they are drawn: of a logarithmic one, logarithms.
struct Ruler {
  bool log;
  explicit Ruler(const QCPAxis& axis) : log(axis.scaleType() == QCPAxis::stLogarithmic) {}
  double of(double coordinate) const { return log ? std::log(coordinate) : coordinate; }
  double coordinate(double position) const { return log ? std::exp(position) : position; }
};

}  // namespace

Zoom::Range Zoom::shown(const QCPAxis& axis) {
  return {axis.range().lower, axis.range().upper, axis.scaleType() == QCPAxis::stLogarithmic};
}

void Zoom::set_range(QCPAxis& axis, double low, double high) {
  const auto known = whole_.find(&axis);
  const Range before = shown(axis);
  const bool part = known != whole_.end() && before != known->second && before.log == known->second.log &&
                    before.high > low && before.low < high;
  axis.setRange(low, high);
  whole_[&axis] = shown(axis);
  if (part) show(axis, before.low, before.high);
}

bool Zoom::zoomed() const {
  return std::ranges::any_of(whole_, [](const auto& one) { return shown(*one.first) != one.second; });
}

bool Zoom::out() {
  if (!zoomed()) return false;
  for (const auto& [axis, range] : whole_) axis->setRange(range.low, range.high);
  return true;
}

bool Zoom::show(QCPAxis& axis, double low, double high) {
  const Range whole = whole_.at(&axis), before = shown(axis);
  const Ruler ruler(axis);
  if (ruler.of(high) - ruler.of(low) < most * (ruler.of(whole.high) - ruler.of(whole.low))) return false;
  axis.setRange(std::max(low, whole.low), std::min(high, whole.high));
  return shown(axis) != before;
}

/// Keeps the point (x, y), given in pixels, where it is.
bool Zoom::scale(double factor, double x, double y) {
  bool changed = false;
  for (const auto& [axis, whole] : whole_) {
    const Ruler ruler(*axis);
    const double fixed = ruler.of(axis->pixelToCoord(axis->orientation() == Qt::Horizontal ? x : y));
    const auto scaled = [&](double end) {
      return ruler.coordinate(fixed + (ruler.of(end) - fixed) * factor);
    };
    changed |= show(*axis, scaled(axis->range().lower), scaled(axis->range().upper));
  }
  return changed;
}

/// Moves the view by a share of its width, at most to the end.
bool Zoom::move(double share) {
  QCPAxis* axis = plot_.xAxis;
  const auto found = whole_.find(axis);
  if (found == whole_.end()) return false;
  const Ruler ruler(*axis);
  const double low = ruler.of(axis->range().lower), high = ruler.of(axis->range().upper);
  const double way = (axis->rangeReversed() ? -share : share) * (high - low);
  const double room = std::clamp(way, ruler.of(found->second.low) - low, ruler.of(found->second.high) - high);
  return show(*axis, ruler.coordinate(low + room), ruler.coordinate(high + room));
}

bool Zoom::wheel(const QWheelEvent& event) {
  if (!(event.modifiers() & Qt::ControlModifier) && scrolls(plot_)) return false;
  const QPoint angle = event.angleDelta();
  if (event.modifiers() & Qt::ShiftModifier || angle.y() == 0)
    return move(-0.2 * (angle.y() + angle.x()) / notch);
  return scale(std::pow(step, angle.y() / notch), event.position().x(), event.position().y());
}

bool Zoom::key(const QKeyEvent& event) {
  const QPointF middle = plot_.axisRect()->center();
  const bool shift = event.modifiers() & Qt::ShiftModifier;
  switch (event.key()) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
      return scale(step, middle.x(), middle.y());
    case Qt::Key_Minus:
      return scale(1 / step, middle.x(), middle.y());
    case Qt::Key_0:
      return out();
    case Qt::Key_Left:
    case Qt::Key_Right:
      return shift && move(event.key() == Qt::Key_Left ? -0.2 : 0.2);
    default:
      return false;
  }
}

}  // namespace ladimo::ui
