// A slider under a plot, with a word at each end. Its handle moves between two places of the plot's axis.
#pragma once

#include <QWidget>

class QLabel;
class QSlider;

namespace ladimo::ui {

class SliderRow : public QWidget {
  Q_OBJECT
 public:
  /// Takes the slider and the words into the row.
  SliderRow(QSlider& slider, QLabel& left, QLabel& right, QWidget* parent = nullptr);

  /// Puts the middle of the handle at `left` at the slider's beginning and at `right` at its end, in the
  /// row's pixels.
  void set_span(double left, double right);
  /// How much room a word needs beside the slider.
  int room_left() const;
  int room_right() const;
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  int handle() const;
  int room(const QLabel& word) const;
  void arrange();

  QSlider& slider_;
  QLabel& left_;
  QLabel& right_;
  double from_ = 0, to_ = 0;
};

}  // namespace ladimo::ui
