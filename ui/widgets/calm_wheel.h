// The wheel scrolls pages; it changes only the control that has the focus.
#pragma once

#include <QObject>

namespace ladimo::ui {

/// Without it, a person who scrolls a page changes the sliders, boxes and lists that pass under the pointer.
class CalmWheel : public QObject {
  Q_OBJECT
 public:
  /// Watches all controls of the application.
  explicit CalmWheel(QObject* parent);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
};

}  // namespace ladimo::ui
