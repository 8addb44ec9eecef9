// Rich text and text colours in the panels.
#pragma once

#include <QString>
#include <QWidget>

namespace ladimo::ui {

inline QString bold(const QString& text) { return QStringLiteral("<b>%1</b>").arg(text); }

inline void set_text_colour(QWidget& widget, const QColor& colour) {
  QPalette palette = widget.palette();
  palette.setColor(QPalette::WindowText, colour);
  widget.setPalette(palette);
}

}  // namespace ladimo::ui
