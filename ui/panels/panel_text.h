// The few kinds of text that panels show: what went wrong, what was measured.
#pragma once

#include <QString>
#include <QWidget>

#include "base/error.h"
#include "ui/engine/outcome.h"
#include "ui/engine/window_words.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {

inline QString bold(const QString& text) { return QStringLiteral("<b>%1</b>").arg(text); }

/// Sentence and hint of an outcome in one paragraph.
inline QString complaint(const Outcome& outcome) {
  return outcome.hint.isEmpty() ? outcome.sentence : outcome.sentence + ' ' + outcome.hint;
}

/// The same of what this program found wrong itself.
inline QString complaint(const Problem& problem) {
  return (QString::fromStdString(problem.message) + ' ' + in_window_words(problem.hint)).trimmed();
}

inline void set_text_colour(QWidget& widget, const QColor& colour) {
  QPalette palette = widget.palette();
  palette.setColor(QPalette::WindowText, colour);
  widget.setPalette(palette);
}

}  // namespace ladimo::ui
