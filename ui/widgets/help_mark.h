// The small question mark beside a title, which explains what the panel shows. The keyboard has F1 instead.
#pragma once

#include <QToolButton>

#include "ui/models/help.h"

namespace ladimo::ui {

class HelpMark : public QToolButton {
  Q_OBJECT
 public:
  /// `panel`: what it explains; F1 does so too while the panel has the focus.
  HelpMark(Help about, QWidget& panel);

  QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
};

}  // namespace ladimo::ui
