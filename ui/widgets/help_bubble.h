// Explains one panel in a small pop-up, which Escape or a click anywhere closes.
#pragma once

#include <QFrame>

#include "ui/models/help.h"

namespace ladimo::ui {

class HelpBubble : public QFrame {
  Q_OBJECT
 public:
  /// Opens it beside `anchor`, within the screen. It deletes itself.
  static void open(Help about, const QWidget& anchor);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  explicit HelpBubble(Help about, QWidget* parent);
};

/// Says what the help of `panel`, and of all in it, is about.
void set_help(QWidget& panel, Help about);
/// Explains the innermost panel around `widget` that has help, beside `anchor`. Returns false if there is
/// none.
bool explain(const QWidget& widget, const QWidget& anchor);

}  // namespace ladimo::ui
