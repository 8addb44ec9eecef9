// A slider that tells a person's moves from the program's, and when a gesture is over.
#pragma once

#include <QSlider>
#include <QTimer>

namespace ladimo::ui {

class SettlingSlider : public QSlider {
  Q_OBJECT
 public:
  explicit SettlingSlider(QWidget* parent = nullptr);
  /// Moves the handle without a signal. While a person holds it nothing happens.
  void show_value(int value);

 signals:
  void moved(int value);
  /// The handle was let go, or keys and wheel have rested for a moment.
  void settled();

 private:
  QTimer rest_;
};

}  // namespace ladimo::ui
