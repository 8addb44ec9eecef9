#include "ui/widgets/note.h"

#include <QApplication>
#include <QEvent>

#include "ui/models/theme.h"

namespace ladimo::ui {

Note::Note(Kind kind, const QString& text, QWidget* parent) : QLabel(text, parent), kind_(kind) {
  setForegroundRole(QPalette::WindowText);  // inside a table the role would differ
  setTextFormat(Qt::PlainText);
  setWordWrap(true);
  setTextInteractionFlags(Qt::TextSelectableByMouse);
  recolour();
}

void Note::say(Kind kind, const QString& text) {
  setText(text);
  if (kind == kind_) return;
  kind_ = kind;
  recolour();
}

void Note::recolour() {
  const QPalette base = parentWidget() ? parentWidget()->palette() : QApplication::palette();
  const Theme theme = theme_of(base);
  QPalette colours = base;
  colours.setColor(QPalette::WindowText, kind_ == Kind::faint   ? theme.faint
                                         : kind_ == Kind::wrong ? theme.error
                                                                : theme.text);
  if (colours.color(QPalette::WindowText) != palette().color(QPalette::WindowText)) setPalette(colours);
}

void Note::changeEvent(QEvent* event) {
  QLabel::changeEvent(event);
  if (event->type() == QEvent::ApplicationPaletteChange || event->type() == QEvent::PaletteChange ||
      event->type() == QEvent::ParentChange)
    recolour();
}

}  // namespace ladimo::ui
