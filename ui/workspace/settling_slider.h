// A slider that reports only moves by a person, and the end of each gesture.
#pragma once

#include <QSlider>
#include <QTimer>

namespace ladimo::ui {

class SettlingSlider : public QSlider {
  Q_OBJECT
 public:
  explicit SettlingSlider(QWidget* parent = nullptr);
  /// Moves the handle without a signal. Does nothing while a person holds it.
  void show_value(int value);

 signals:
  void moved(int value);
  /// The person let go of the handle, or stopped using keys or the wheel.
  void settled();

 private:
  QTimer rest_;
};

}  // namespace ladimo::ui
