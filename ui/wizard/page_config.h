// What a page of the wizard chooses, without widgets: the page only shows it and changes it.
#pragma once

#include <QObject>
#include <QString>

namespace ladimo::ui {

class PageConfig : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

  /// Why the next page cannot come yet, as a sentence; empty when it can.
  virtual QString reason() const = 0;
  bool is_ready() const { return reason().isEmpty(); }

 signals:
  void changed();
};

}  // namespace ladimo::ui
