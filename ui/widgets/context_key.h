// Opens the context menu of the control that has the focus by the Menu key and by Shift+F10.
#pragma once

#include <QObject>

namespace ladimo::ui {

/// Qt knows the Menu key on some platforms and Shift+F10 on none but Windows.
class ContextKey : public QObject {
  Q_OBJECT
 public:
  /// Watches all controls of the application.
  explicit ContextKey(QObject* parent);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;
};

}  // namespace ladimo::ui
