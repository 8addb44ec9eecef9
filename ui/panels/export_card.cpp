#include "ui/panels/export_card.h"

#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/panels/notice.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int thousand = 1000;

}  // namespace

ExportCard::ExportCard(const QString& title, const QString& words, const QString& button, QWidget* parent)
    : QFrame(parent), button_(new QPushButton(button)), progress_(new QProgressBar), notice_(new Notice) {
  setFrameShape(QFrame::StyledPanel);
  const int space = spacing(*this);
  auto* heading = new QLabel(title);
  QFont bold = font();
  bold.setBold(true);
  heading->setFont(bold);
  auto* description = new QLabel(words);
  description->setWordWrap(true);
  description->setAlignment(Qt::AlignTop);
  button_->setAccessibleDescription(words);
  button_->setToolTip(words);
  QSizePolicy keeps_its_room = progress_->sizePolicy();
  keeps_its_room.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(keeps_its_room);
  progress_->setMaximumHeight(space);
  progress_->setTextVisible(false);
  progress_->hide();

  notice_->setMinimumHeight(2 * fontMetrics().lineSpacing());

  auto* action = new QHBoxLayout;
  action->addWidget(button_);
  action->addWidget(progress_, 1);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(space, space, space, space);
  layout->setSpacing(space / 2);
  layout->addWidget(heading);
  layout->addWidget(description, 1);
  layout->addLayout(action);
  layout->addWidget(notice_);
  connect(button_, &QPushButton::clicked, this, &ExportCard::clicked);
}

void ExportCard::set_later(const QString& why) {
  setEnabled(false);
  notice_->say(why);
}

void ExportCard::set_button(const QString& text) { button_->setText(text); }

void ExportCard::show_progress(int thousandths) {
  progress_->setRange(0, thousandths < 0 ? 0 : thousand);
  progress_->setValue(thousandths);
  progress_->show();
}

void ExportCard::hide_progress() { progress_->hide(); }

}  // namespace ladimo::ui
