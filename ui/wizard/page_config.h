// The choices made on one page of the wizard, without widgets. The page shows and changes them.
#pragma once

#include <QObject>
#include <QString>

namespace ladimo::ui {

class PageConfig : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  /// The reason why the next page is not available yet, as a sentence; empty when it is.
  virtual QString reason() const = 0;
  bool is_ready() const { return reason().isEmpty(); }

 signals:
  void changed();
};

}  // namespace ladimo::ui
