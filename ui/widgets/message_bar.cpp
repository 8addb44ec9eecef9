#include "ui/widgets/message_bar.h"

#include <utility>

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QPushButton>

#include "ui/engine/outcome.h"
#include "ui/models/theme.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
MessageBar::MessageBar(QWidget* parent)
    : QFrame(parent),
      sentence_(new Note(Note::Kind::plain)),
      hint_(new Note(Note::Kind::faint)),
      buttons_(new QHBoxLayout),
      close_(new QPushButton(tr("Close"))) {
  const int space = spacing(*this);
  auto* texts = new QVBoxLayout;
  texts->setSpacing(space / 4);
  texts->addWidget(sentence_);
  texts->addWidget(hint_);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(2 * space, space, space, space);
  row->setSpacing(space);
  row->addLayout(texts, 1);
  row->addLayout(buttons_);
  row->addWidget(close_);
  close_->setToolTip(tr("Hide this message"));
  setObjectName(QStringLiteral("message bar"));
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
  connect(close_, &QPushButton::clicked, this, &MessageBar::clear);
  hide();
}

void MessageBar::show_message(const Message& message) {
  tone_ = message.tone;
  sentence_->setText(message.sentence);
  hint_->setText(message.hint);
  hint_->setVisible(!message.hint.isEmpty());
  set_actions(message.actions);
  answer_ = message.answer;
  close_->setVisible(message.actions.isEmpty());
  setAccessibleName(message.sentence);
  update();  // the colour depends on the tone
  show();
  if (!message.actions.isEmpty()) buttons_->itemAt(0)->widget()->setFocus();
}

void MessageBar::show_outcome(const Outcome& outcome) {
  if (outcome.done() || outcome.kind == Outcome::Kind::canceled) return clear();
  show_message({.tone = Tone::error, .sentence = outcome.sentence, .hint = outcome.hint});
}

void MessageBar::clear() {
  answer_ = {};
  hide();
}

void MessageBar::choose(int action) {
  const auto answer = std::exchange(answer_, {});  // it may ask the next question
  hide();
  if (answer) answer(action);
}

void MessageBar::set_actions(const QStringList& actions) {
  while (QLayoutItem* item = buttons_->takeAt(0)) {
    item->widget()->deleteLater();
    delete item;
  }
  for (int i = 0; i < actions.size(); ++i) {
    auto* button = new QPushButton(actions[i]);
    buttons_->addWidget(button);
    connect(button, &QPushButton::clicked, this, [this, i] { choose(i); });
  }
}

QColor MessageBar::tone_colour() const {
  const Theme theme = theme_of(palette());
  return tone_ == Tone::error ? theme.error : tone_ == Tone::warning ? theme.converted : theme.accent;
}

void MessageBar::paintEvent(QPaintEvent*) {
  const int space = spacing(*this);
  QPainter painter(this);
  painter.fillRect(rect(), palette().color(QPalette::Base));
  painter.fillRect(0, 0, space / 2, height(), tone_colour());
  painter.fillRect(0, height() - 1, width(), 1, theme_of(palette()).off);
}

void MessageBar::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape)
    choose(0);
  else
    QFrame::keyPressEvent(event);
}

}  // namespace ladimo::ui
