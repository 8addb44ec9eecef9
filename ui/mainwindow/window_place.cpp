#include "ui/mainwindow/window_place.h"

#include <algorithm>

#include <QEvent>
#include <QGuiApplication>
#include <QStyle>
#include <QTimer>
#include <QWidget>

namespace ladimo::ui {
namespace {

constexpr int frame_known_ms = 300;  // after that the window manager has told how wide its frame is

/// The screen that shows the middle of the window, or the first one.
QScreen* screen_of(const QWidget& window) {
  QScreen* screen = QGuiApplication::screenAt(window.frameGeometry().center());
  return screen ? screen : QGuiApplication::primaryScreen();
}

/// What the frame adds to the window. Before the window is shown nobody knows; a title bar is likely.
QMargins frame_of(const QWidget& window) {
  const QRect outside = window.frameGeometry(), inside = window.geometry();
  const QMargins known(inside.left() - outside.left(), inside.top() - outside.top(),
                       outside.right() - inside.right(), outside.bottom() - inside.bottom());
  if (window.isVisible() || !known.isNull()) return known;
  return {0, window.style()->pixelMetric(QStyle::PM_TitleBarHeight), 0, 0};
}

}  // namespace

QRect fitted(const QRect& frame, const QRect& available) {
  const QSize size = frame.size().boundedTo(available.size());
  const QPoint last =
      available.topLeft() + QPoint(available.width() - size.width(), available.height() - size.height());
  return {QPoint(std::clamp(frame.left(), available.left(), last.x()),
                 std::clamp(frame.top(), available.top(), last.y())),
          size};
}

WindowPlace::WindowPlace(QWidget& window, QSize preferred, QSize smallest)
    : QObject(&window), window_(window), smallest_(smallest) {
  window_.resize(preferred);
  window_.installEventFilter(this);
  // The system moves the windows of a screen that is gone to another one, and then they may be too large.
  connect(qGuiApp, &QGuiApplication::screenRemoved, this, [this] { fit_soon(); });
  fit();
}

void WindowPlace::restore(const QByteArray& geometry) {
  window_.restoreGeometry(geometry);
  fit();
}

void WindowPlace::fit() {
  QScreen* screen = screen_of(window_);
  if (!screen) return;
  follow(screen);
  const QRect available = screen->availableGeometry();
  const QMargins frame = frame_of(window_);
  window_.setMinimumSize(smallest_.boundedTo(available.marginsRemoved(frame).size()));
  if (window_.isMaximized() || window_.isFullScreen()) return;
  const QRect now = window_.geometry().marginsAdded(frame);
  const bool placed = window_.isVisible() || window_.testAttribute(Qt::WA_Moved);
  const QRect wanted = fitted(now, available);
  if (wanted == now) return;
  // A window that was never placed is left to the window manager.
  placed ? window_.setGeometry(wanted.marginsRemoved(frame))
         : window_.resize(wanted.marginsRemoved(frame).size());
}

void WindowPlace::fit_soon() {
  for (const int delay : {0, frame_known_ms}) QTimer::singleShot(delay, this, &WindowPlace::fit);
}

void WindowPlace::follow(QScreen* screen) {
  if (screen == followed_) return;
  if (followed_) disconnect(followed_, nullptr, this, nullptr);
  followed_ = screen;
  connect(screen, &QScreen::availableGeometryChanged, this, &WindowPlace::fit);
}

bool WindowPlace::eventFilter(QObject* window, QEvent* event) {
  if (event->type() == QEvent::Show || event->type() == QEvent::WindowStateChange) fit_soon();
  return QObject::eventFilter(window, event);
}

}  // namespace ladimo::ui
