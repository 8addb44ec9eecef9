// A page that scrolls where the window is too small for it.
#pragma once

#include <QScrollArea>

namespace ladimo::ui {

/// `page` fills the area and keeps its smallest size in it. The area takes it over.
inline QScrollArea* scrolling(QWidget* page) {
  auto* area = new QScrollArea;
  area->setFrameShape(QFrame::NoFrame);
  area->setWidgetResizable(true);
  area->setFocusPolicy(Qt::NoFocus);  // the keyboard goes from control to control, and the area follows
  area->setWidget(page);
  return area;
}

}  // namespace ladimo::ui
