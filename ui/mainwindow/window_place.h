// Keeps a window within its screen: at its first start, after a restore, and when the screen changes.
#pragma once

#include <QByteArray>
#include <QObject>
#include <QPointer>
#include <QRect>
#include <QScreen>
#include <QSize>

class QWidget;

namespace ladimo::ui {

/// `frame` within `available`: moved where it is outside, and made smaller where it is larger.
QRect fitted(const QRect& frame, const QRect& available);

class WindowPlace : public QObject {
  Q_OBJECT
 public:
  /// `window` gets `preferred` as its size and cannot be made smaller than `smallest`, unless its screen is.
  /// The window owns this.
  WindowPlace(QWidget& window, QSize preferred, QSize smallest = {0, 0});
  /// Takes over what QWidget::saveGeometry() returned, which may be empty or of a screen that is gone.
  void restore(const QByteArray& geometry);

 protected:
  bool eventFilter(QObject* window, QEvent* event) override;

 private:
  void fit();
  void fit_soon();
  void follow(QScreen* screen);

  QWidget& window_;
  QSize smallest_;
  QPointer<QScreen> followed_;
};

}  // namespace ladimo::ui
