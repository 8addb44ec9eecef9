#include "ui/widgets/context_key.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QKeyEvent>
#include <QWidget>

namespace ladimo::ui {
namespace {

bool asks_for_menu(const QKeyEvent& key) {
  return key.key() == Qt::Key_Menu || (key.key() == Qt::Key_F10 && key.modifiers() == Qt::ShiftModifier);
}

}  // namespace

ContextKey::ContextKey(QObject* parent) : QObject(parent) { qApp->installEventFilter(this); }

bool ContextKey::eventFilter(QObject* watched, QEvent* event) {
  if (event->type() != QEvent::KeyPress || !asks_for_menu(static_cast<const QKeyEvent&>(*event)))
    return false;
  auto* control = qobject_cast<QWidget*>(watched);
  if (!control || QApplication::activePopupWidget()) return false;
  const QPoint place = control->inputMethodQuery(Qt::ImCursorRectangle).toRect().center();
  QContextMenuEvent menu(QContextMenuEvent::Keyboard, place, control->mapToGlobal(place));
  QApplication::sendEvent(control, &menu);
  return true;
}

}  // namespace ladimo::ui
