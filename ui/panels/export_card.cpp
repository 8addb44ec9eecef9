#include "ui/panels/export_card.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/panels/notice.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

ExportCard::ExportCard(const QString& title, const QString& words, const QString& button, QWidget* parent)
    : QFrame(parent), notice_(new Notice) {
  setFrameShape(QFrame::StyledPanel);
  const int space = spacing(*this);
  auto* heading = new QLabel(title);
  QFont bold = font();
  bold.setBold(true);
  heading->setFont(bold);
  auto* description = new QLabel(words);
  description->setWordWrap(true);
  description->setAlignment(Qt::AlignTop);
  auto* press = new QPushButton(button);
  press->setAccessibleDescription(words);
  press->setToolTip(words);
  notice_->setMinimumHeight(2 * fontMetrics().lineSpacing());
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space, space, space, space);
  layout->setSpacing(space / 2);
  layout->addWidget(heading);
  layout->addWidget(description, 1);
  layout->addWidget(press, 0, Qt::AlignLeft);
  layout->addWidget(notice_);
  connect(press, &QPushButton::clicked, this, &ExportCard::clicked);
}

}  // namespace ladimo::ui
