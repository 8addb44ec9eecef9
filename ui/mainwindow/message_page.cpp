#include "ui/mainwindow/message_page.h"

#include <QEvent>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/models/theme.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

QLabel* add_text(QVBoxLayout& layout) {
  auto* label = new QLabel;
  label->setTextFormat(Qt::PlainText);
  label->setWordWrap(true);
  label->setAlignment(Qt::AlignHCenter);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  layout.addWidget(label);
  return label;
}

}  // namespace

MessagePage::MessagePage(QWidget* parent) : QWidget(parent) {
  const int space = spacing(*this);
  auto* column = new QWidget;
  column->setMinimumWidth(60 * space);
  auto* texts = new QVBoxLayout(column);
  texts->setSpacing(space);
  title_ = add_text(*texts);
  title_->setFont(title_font(font()));
  sentence_ = add_text(*texts);
  hint_ = add_text(*texts);
  busy_ = new QProgressBar;
  busy_->setRange(0, 0);
  busy_->setTextVisible(false);
  texts->addWidget(busy_);
  button_ = new QPushButton;
  button_->setMinimumSize(20 * space, 4 * space);
  texts->addSpacing(space);
  texts->addWidget(button_, 0, Qt::AlignHCenter);
  connect(button_, &QPushButton::clicked, this, &MessagePage::clicked);

  auto* page = new QVBoxLayout(this);
  page->addStretch(2);
  auto* row = new QHBoxLayout;
  row->addStretch();
  row->addWidget(column);
  row->addStretch();
  page->addLayout(row);
  page->addStretch(3);
}

void MessagePage::show_message(const Message& message) {
  title_->setText(message.title);
  sentence_->setText(message.sentence);
  hint_->setText(message.hint);
  hint_->setVisible(!message.hint.isEmpty());
  busy_->setVisible(message.busy);
  button_->setText(message.button);
  failed_ = message.failed;
  recolour();
}

void MessagePage::recolour() {
  const Theme theme = theme_of(palette());
  QPalette title = palette(), hint = palette();
  title.setColor(QPalette::WindowText, failed_ ? theme.error : theme.text);
  hint.setColor(QPalette::WindowText, theme.faint);
  title_->setPalette(title);
  hint_->setPalette(hint);
}

void MessagePage::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) recolour();
}

}  // namespace ladimo::ui
