// The few kinds of text that panels show: what went wrong, what was measured.
#pragma once

#include <QString>
#include <QWidget>

#include "ui/engine/outcome.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {

inline QString bold(const QString& text) { return QStringLiteral("<b>%1</b>").arg(text); }

/// Sentence and hint of an outcome in one paragraph.
inline QString complaint(const Outcome& outcome) {
  return outcome.hint.isEmpty() ? outcome.sentence : outcome.sentence + ' ' + outcome.hint;
}

inline void set_text_colour(QWidget& widget, const QColor& colour) {
  QPalette palette = widget.palette();
  palette.setColor(QPalette::WindowText, colour);
  widget.setPalette(palette);
}

}  // namespace ladimo::ui
