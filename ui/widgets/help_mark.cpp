#include "ui/widgets/help_mark.h"

#include <QPainter>

#include "ui/models/theme.h"
#include "ui/widgets/help_bubble.h"

namespace ladimo::ui {

HelpMark::HelpMark(Help about, QWidget& panel) : QToolButton(&panel) {
  set_help(panel, about);
  setObjectName(QStringLiteral("help mark"));
  setFocusPolicy(Qt::NoFocus);  // a stop of Tab at every title would be one too many
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  setCursor(Qt::WhatsThisCursor);
  setAccessibleName(tr("Help: %1").arg(help_title(about)));
  setToolTip(tr("What this shows (F1)"));
  connect(this, &QToolButton::clicked, this, [this, about] { HelpBubble::open(about, *this); });
}

QSize HelpMark::sizeHint() const {
  const int height = fontMetrics().height();
  return {height, height};
}

void HelpMark::paintEvent(QPaintEvent*) {
  const Theme theme = theme_of(palette());
  const QColor colour = underMouse() || isDown() ? theme.accent : theme.faint;
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(colour, 1));
  painter.drawEllipse(QRectF(rect()).adjusted(1, 1, -1, -1));
  QFont small = font();
  small.setPointSizeF(small.pointSizeF() * 0.8);
  small.setBold(true);
  painter.setFont(small);
  painter.drawText(rect(), Qt::AlignCenter, QStringLiteral("?"));
}

}  // namespace ladimo::ui
