#include "ui/workspace/settling_slider.h"

#include <QSignalBlocker>

namespace ladimo::ui {

SettlingSlider::SettlingSlider(QWidget* parent) : QSlider(Qt::Horizontal, parent) {
  constexpr int rest_ms = 400;
  rest_.setSingleShot(true);
  rest_.setInterval(rest_ms);
  connect(&rest_, &QTimer::timeout, this, &SettlingSlider::settled);
  connect(this, &QSlider::sliderReleased, this, &SettlingSlider::settled);
  connect(this, &QSlider::valueChanged, this, [this](int value) {
    emit moved(value);
    if (!isSliderDown()) rest_.start();
  });
}

void SettlingSlider::show_value(int value) {
  if (isSliderDown()) return;
  const QSignalBlocker silence(this);
  setValue(value);
}

}  // namespace ladimo::ui
