// One unit of space and a few sizes of type, all scaled by the font.
#pragma once

#include <QFont>
#include <QFontMetrics>
#include <QWidget>

namespace ladimo::ui {

/// Half the height of a line of text, in logical pixels.
inline int spacing(const QWidget& widget) { return QFontMetrics(widget.font()).height() / 2; }

inline QFont title_font(QFont font) {
  font.setPointSizeF(font.pointSizeF() * 1.5);
  font.setWeight(QFont::DemiBold);
  return font;
}

}  // namespace ladimo::ui
