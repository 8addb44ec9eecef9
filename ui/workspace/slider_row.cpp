#include "ui/workspace/slider_row.h"

#include <algorithm>
#include <cmath>

#include <QLabel>
#include <QSlider>
#include <QStyle>
#include <QStyleOptionSlider>

#include "ui/widgets/spacing.h"

namespace ladimo::ui {

SliderRow::SliderRow(QSlider& slider, QLabel& left, QLabel& right, QWidget* parent)
    : QWidget(parent), slider_(slider), left_(left), right_(right) {
  setLayoutDirection(Qt::LeftToRight);  // as the axes of plots
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  for (QWidget* part : std::initializer_list<QWidget*>{&left, &slider, &right}) part->setParent(this);
  right.setAlignment(Qt::AlignRight | Qt::AlignVCenter);
}

int SliderRow::handle() const {
  QStyleOptionSlider option;
  option.initFrom(&slider_);
  return slider_.style()->pixelMetric(QStyle::PM_SliderLength, &option, &slider_);
}

int SliderRow::room(const QLabel& word) const {
  return word.sizeHint().width() + spacing(*this) + handle() / 2;
}
int SliderRow::room_left() const { return room(left_); }
int SliderRow::room_right() const { return room(right_); }

QSize SliderRow::sizeHint() const {
  return {room_left() + room_right() + slider_.minimumSizeHint().width(),
          std::max(slider_.sizeHint().height(), left_.sizeHint().height())};
}

void SliderRow::set_span(double left, double right) {
  from_ = left;
  to_ = right;
  arrange();
}

void SliderRow::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  arrange();
}

void SliderRow::arrange() {
  if (to_ <= from_) return;
  const int from = static_cast<int>(std::lround(from_ - handle() / 2.0));
  const int to = static_cast<int>(std::lround(to_ + handle() / 2.0));
  const int gap = spacing(*this) / 2;
  slider_.setGeometry(from, 0, to - from, height());
  left_.setGeometry(0, 0, std::max(0, from - gap), height());
  right_.setGeometry(to + gap, 0, std::max(0, width() - to - gap), height());
}

}  // namespace ladimo::ui
