#include "ui/widgets/calm_wheel.h"

#include <QAbstractSpinBox>
#include <QApplication>
#include <QComboBox>
#include <QEvent>
#include <QSlider>

namespace ladimo::ui {

CalmWheel::CalmWheel(QObject* parent) : QObject(parent) { qApp->installEventFilter(this); }

bool CalmWheel::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() != QEvent::Wheel && event->type() != QEvent::Polish) return false;
  if (!qobject_cast<QSlider*>(watched) && !qobject_cast<QAbstractSpinBox*>(watched) &&
      !qobject_cast<QComboBox*>(watched))
    return false;
  auto& control = static_cast<QWidget&>(*watched);
  if (event->type() == QEvent::Polish) {
    // Otherwise the wheel would give it the focus first.
    if (control.focusPolicy() == Qt::WheelFocus) control.setFocusPolicy(Qt::StrongFocus);
    return false;
  }
  if (control.hasFocus()) return false;
  event->ignore();  // it goes to the page
  return true;
}

}  // namespace ladimo::ui
