#include "ui/wizard/step_sidebar.h"

#include <algorithm>

#include <QPainter>

#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

StepSidebar::StepSidebar(QStringList names, QWidget* parent) : QWidget(parent), names_(std::move(names)) {
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
  set_current(0);
}

void StepSidebar::set_current(int index) {
  current_ = index;
  setAccessibleName(tr("Step %1 of %2: %3").arg(index + 1).arg(names_.size()).arg(names_.value(index)));
  update();
}

QSize StepSidebar::sizeHint() const {
  QFont bold = font();
  bold.setBold(true);
  const QFontMetrics metrics(bold);
  int width = 0;
  for (const QString& name : names_) width = std::max(width, metrics.horizontalAdvance(name));
  return {width + 6 * spacing(*this), static_cast<int>(names_.size()) * 4 * spacing(*this)};
}

void StepSidebar::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme theme = theme_of(palette());
  const int space = spacing(*this), line = 4 * space;
  painter.fillRect(rect(), theme.background);
  for (int i = 0; i < names_.size(); ++i) {
    const QRect row(0, 2 * space + i * line, width(), line);
    if (i == current_) painter.fillRect(QRect(row.left(), row.top(), space / 2, row.height()), theme.accent);
    QFont type = font();
    type.setBold(i == current_);
    painter.setFont(type);
    painter.setPen(i > current_ ? theme.faint : theme.text);
    painter.drawText(row.adjusted(2 * space, 0, 0, 0), Qt::AlignVCenter | Qt::AlignLeft, names_[i]);
  }
}

}  // namespace ladimo::ui
