#include "ui/wizard/window_view.h"

#include <iterator>
#include <set>

#include <QEvent>
#include <QTextCursor>

#include "ui/models/theme.h"
#include "ui/widgets/tint.h"

namespace ladimo::ui {

WindowView::WindowView(QWidget* parent) : QPlainTextEdit(parent) {
  setReadOnly(true);
  setUndoRedoEnabled(false);
}

void WindowView::show_look(WindowLook window) {
  if (window == window_) return;
  window_ = std::move(window);
  draw();
}

void WindowView::draw() {
  const Theme theme = theme_of(palette());
  QTextCharFormat pieces[2], specials[2];
  pieces[0].setBackground(tint(theme, 0.15));
  pieces[1].setBackground(tint(theme, 0.45));
  specials[0].setBackground(tint(theme, theme.dense, 0.6));
  specials[1].setBackground(tint(theme, theme.dense, 1));
  const std::set<int> special(window_.special.begin(), window_.special.end());
  clear();
  QTextCursor cursor(document());
  cursor.beginEditBlock();
  for (int i = 0; i < std::ssize(window_.tokens); ++i)
    cursor.insertText(QString::fromStdString(window_.tokens[static_cast<std::size_t>(i)]),
                      (special.contains(i) ? specials : pieces)[i % 2]);
  cursor.endEditBlock();
}

void WindowView::changeEvent(QEvent* event) {
  QPlainTextEdit::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) draw();
}

}  // namespace ladimo::ui
