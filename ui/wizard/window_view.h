// A window of tokens as text. Two alternating tints separate the tokens; special tokens have another colour.
#pragma once

#include <QPlainTextEdit>

#include "text/text_look.h"

namespace ladimo::ui {

class WindowView : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit WindowView(QWidget* parent = nullptr);
  void show_look(WindowLook window);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void draw();

  WindowLook window_;
};

}  // namespace ladimo::ui
