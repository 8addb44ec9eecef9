#include "ui/wizard/window_view.h"

#include <QEvent>
#include <QTextCursor>

#include "ui/models/theme.h"
#include "ui/widgets/tint.h"

namespace ladimo::ui {

WindowView::WindowView(QWidget* parent) : QPlainTextEdit(parent) {
  setReadOnly(true);
  setUndoRedoEnabled(false);
}

void WindowView::show_tokens(std::vector<std::string> tokens) {
  if (tokens == tokens_) return;
  tokens_ = std::move(tokens);
  draw();
}

void WindowView::draw() {
  const Theme theme = theme_of(palette());
  QTextCharFormat formats[2];
  formats[0].setBackground(tint(theme, 0.15));
  formats[1].setBackground(tint(theme, 0.45));
  clear();
  QTextCursor cursor(document());
  cursor.beginEditBlock();
  for (std::size_t i = 0; i < tokens_.size(); ++i)
    cursor.insertText(QString::fromStdString(tokens_[i]), formats[i % 2]);
  cursor.endEditBlock();
}

void WindowView::changeEvent(QEvent* event) {
  QPlainTextEdit::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) draw();
}

}  // namespace ladimo::ui
