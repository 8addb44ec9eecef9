// A light and a dark palette as desktops hand them to programs.
#pragma once

#include <QPalette>

namespace ladimo::testing {

inline QPalette palette_of(QColor window, QColor base, QColor text, QColor highlight) {
  QPalette palette(window, window);
  QColor faint = text;
  faint.setAlphaF(0.45f);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    palette.setColor(role, text);
    palette.setColor(QPalette::Disabled, role, faint);
  }
  palette.setColor(QPalette::PlaceholderText, faint);
  palette.setColor(QPalette::Link, highlight);
  palette.setColor(QPalette::Base, base);
  palette.setColor(QPalette::Highlight, highlight);
  palette.setColor(QPalette::HighlightedText, Qt::white);
  return palette;
}

inline QPalette light_palette() {
  return palette_of(QColor(0xef, 0xf0, 0xf1), Qt::white, QColor(0x23, 0x26, 0x29), QColor(0x2a, 0x76, 0xc6));
}
inline QPalette dark_palette() {
  return palette_of(QColor(0x2a, 0x2e, 0x32), QColor(0x1b, 0x1e, 0x20), QColor(0xfc, 0xfc, 0xfc),
                    QColor(0x2a, 0x76, 0xc6));
}

}  // namespace ladimo::testing
