#include "ui/mainwindow/card.h"

#include <array>
#include <cmath>

#include <QPainter>

#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

void bar(QPainter& painter, const QRectF& area, double x, double y, double width, double height,
         const QColor& colour) {
  painter.fillRect(QRectF(area.x() + x * area.width(), area.y() + y * area.height(), width * area.width(),
                          height * area.height()),
                   colour);
}

/// A layer with all neurons on, beside one with few neurons on.
void draw_convert(QPainter& painter, const QRectF& area, const Theme& theme) {
  constexpr std::array on = {true, false, false, true, false};
  for (std::size_t i = 0; i < on.size(); ++i) {
    const double y = 0.02 + 0.2 * double(i);
    bar(painter, area, 0, y, 0.42, 0.14, theme.dense);
    bar(painter, area, 0.58, y, 0.42, 0.14, on[i] ? theme.converted : theme.grid);
  }
}

/// A frontier with a slider under it.
void draw_run(QPainter& painter, const QRectF& area, const Theme& theme) {
  QPolygonF curve;
  for (int i = 0; i <= 12; ++i) {
    const double x = i / 12.0;
    curve << QPointF(area.x() + x * area.width(),
                     area.y() + (0.05 + 0.6 * std::pow(1 - x, 2.5)) * area.height());
  }
  painter.setPen(QPen(theme.dense, area.width() / 16));
  painter.drawPolyline(curve);
  bar(painter, area, 0, 0.88, 1, 0.06, theme.off);
  painter.setPen(Qt::NoPen);
  painter.setBrush(theme.converted);
  painter.drawEllipse(QPointF(area.x() + 0.6 * area.width(), area.y() + 0.91 * area.height()),
                      0.11 * area.width(), 0.11 * area.width());
}

void draw_model(QPainter& painter, const QRectF& area, const Theme& theme) {
  for (int i = 0; i < 4; ++i) bar(painter, area, 0.08 * i, 0.04 + 0.25 * i, 0.76, 0.17, theme.dense);
}

/// A histogram of routing weights with its threshold.
void draw_routing(QPainter& painter, const QRectF& area, const Theme& theme) {
  constexpr std::array heights = {0.15, 0.35, 0.7, 0.95, 0.8, 0.5, 0.3, 0.18};
  for (std::size_t i = 0; i < heights.size(); ++i)
    bar(painter, area, 0.125 * double(i), 1 - heights[i], 0.1, heights[i],
        i < 4 ? theme.off : theme.converted);
  bar(painter, area, 0.48, 0, 0.035, 1, theme.accent);
}

void draw_picture(QPainter& painter, const QRectF& area, Card::Picture picture, const Theme& theme) {
  switch (picture) {
    case Card::Picture::none:
      break;
    case Card::Picture::convert:
      return draw_convert(painter, area, theme);
    case Card::Picture::run:
      return draw_run(painter, area, theme);
    case Card::Picture::model:
      return draw_model(painter, area, theme);
    case Card::Picture::routing:
      return draw_routing(painter, area, theme);
  }
}

/// Wraps paths anywhere and sentences between words.
int flags(Card::Picture picture) {
  const int wrap = picture == Card::Picture::none ? Qt::TextWrapAnywhere : Qt::TextWordWrap;
  return wrap | Qt::AlignLeft | Qt::AlignTop;
}

}  // namespace

Card::Card(Picture picture, const QString& title, const QString& sentence, QWidget* parent)
    : QAbstractButton(parent), picture_(picture) {
  setText(title);
  setAccessibleName(title);
  set_sentence(sentence);
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::PointingHandCursor);
  QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Minimum);
  policy.setHeightForWidth(true);
  setSizePolicy(policy);
}

void Card::set_sentence(const QString& sentence) {
  sentence_ = sentence;
  setAccessibleDescription(sentence);
  updateGeometry();
  update();
}

QFont Card::title_type() const {
  QFont type = font();
  type.setBold(true);
  if (picture_ != Picture::none) type.setPointSizeF(type.pointSizeF() * 1.15);
  return type;
}

QRect Card::text_area(int width) const {
  const int space = spacing(*this);
  const int left = picture_ == Picture::none ? space : 7 * space;
  return {left, space, std::max(width - left - space, 1), 0};
}

int Card::heightForWidth(int width) const {
  const int space = spacing(*this);
  const int title = QFontMetrics(title_type()).height();
  const int sentence =
      fontMetrics().boundingRect(0, 0, text_area(width).width(), 10000, flags(picture_), sentence_).height();
  const int texts = 2 * space + title + (sentence_.isEmpty() ? 0 : space / 4 + sentence);
  return picture_ == Picture::none ? texts : std::max(texts, 6 * space);
}

QSize Card::sizeHint() const {
  const int width = 44 * spacing(*this);
  return {width, heightForWidth(width)};
}

void Card::paintEvent(QPaintEvent*) {
  const int space = spacing(*this);
  const Theme theme = theme_of(palette());
  const bool chosen = underMouse() || hasFocus();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(chosen ? theme.accent : theme.grid, chosen ? 1.5 : 1));
  painter.setBrush(isDown() ? theme.grid : theme.background);
  painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), space / 2.0, space / 2.0);

  const QRectF picture(1.5 * space, (height() - 4 * space) / 2.0, 4 * space, 4 * space);
  painter.save();
  draw_picture(painter, picture, picture_, theme);
  painter.restore();

  QRect area = text_area(width());
  const QFontMetrics metrics(title_type());
  painter.setFont(title_type());
  painter.setPen(theme.text);
  painter.drawText(area.x(), area.y() + metrics.ascent(),
                   metrics.elidedText(text(), Qt::ElideRight, area.width()));
  area.setTop(area.y() + metrics.height() + space / 4);
  area.setBottom(height());
  painter.setFont(font());
  painter.setPen(theme.faint);
  painter.drawText(area, flags(picture_), sentence_);
}

void Card::enterEvent(QEnterEvent* event) {
  QAbstractButton::enterEvent(event);
  update();
}

void Card::leaveEvent(QEvent* event) {
  QAbstractButton::leaveEvent(event);
  update();
}

}  // namespace ladimo::ui
