// The few kinds of text that panels show: what stands back, what went wrong, what was measured.
#pragma once

#include <QString>
#include <QWidget>

#include "base/format.h"
#include "ui/engine/outcome.h"
#include "ui/plots/theme.h"

namespace ladimo::ui {

inline QString number_text(double value) { return QString::fromStdString(format_number(value)); }
inline QString percent_text(double share) { return number_text(100 * share) + QStringLiteral(" %"); }
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
