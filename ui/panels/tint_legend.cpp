#include "ui/panels/tint_legend.h"

#include <QPainter>

#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/tint.h"

namespace ladimo::ui {
namespace {

constexpr int steps = 32;

}  // namespace

TintLegend::TintLegend(QWidget* parent) : QWidget(parent) {
  setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
}

void TintLegend::set_ends(const QString& few, const QString& many) {
  few_ = few;
  many_ = many;
  setAccessibleName(tr("Tint of tokens, from %1 to %2").arg(few, many));
  updateGeometry();
  update();
}

int TintLegend::ramp_width() const { return 14 * spacing(*this); }

QSize TintLegend::sizeHint() const {
  const int words = fontMetrics().horizontalAdvance(few_) + fontMetrics().horizontalAdvance(many_);
  return {words + ramp_width() + 2 * spacing(*this), fontMetrics().height() + 2};
}

void TintLegend::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme theme = theme_of(palette());
  painter.setPen(palette().color(QPalette::WindowText));
  painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, few_);  // on the right in right-to-left layouts
  painter.drawText(rect(), Qt::AlignRight | Qt::AlignVCenter, many_);
  const bool from_right = layoutDirection() == Qt::RightToLeft;
  const double words = fontMetrics().horizontalAdvance(few_) + spacing(*this);
  const double left = from_right ? width() - words - ramp_width() : words;
  const double step = double(ramp_width()) / steps;
  for (int i = 0; i < steps; ++i)
    painter.fillRect(QRectF(left + i * step, 1, step + 0.5, height() - 2),
                     tint(theme, double(from_right ? steps - 1 - i : i) / (steps - 1)));
  painter.setPen(theme.grid);
  painter.drawRect(QRectF(left, 0.5, ramp_width(), height() - 1));
}

}  // namespace ladimo::ui
