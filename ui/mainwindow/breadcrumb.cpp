#include "ui/mainwindow/breadcrumb.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>

#include "ui/widgets/spacing.h"

namespace ladimo::ui {

Breadcrumb::Breadcrumb(const QStringList& steps, QWidget* parent)
    : QWidget(parent), buttons_(new QButtonGroup(this)) {
  setObjectName(QStringLiteral("breadcrumb"));
  const int space = spacing(*this);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(space, space / 2, space, space / 2);
  row->setSpacing(space / 2);
  for (int i = 0; i < steps.size(); ++i) {
    if (i > 0) row->addWidget(new QLabel(QStringLiteral("▸")));
    auto* button = new QToolButton;
    button->setText(steps[i]);
    button->setAccessibleName(steps[i]);
    button->setToolTip(tr("Go to %1 (Ctrl+%2)").arg(steps[i]).arg(i + 1));
    button->setCheckable(true);
    button->setAutoRaise(true);
    button->setFocusPolicy(Qt::TabFocus);
    buttons_->addButton(button, i);
    row->addWidget(button);
  }
  row->addStretch();
  connect(buttons_, &QButtonGroup::idClicked, this, &Breadcrumb::chosen);
}

void Breadcrumb::set_current(int step) { buttons_->button(step)->setChecked(true); }

int Breadcrumb::current() const { return buttons_->checkedId(); }

}  // namespace ladimo::ui
