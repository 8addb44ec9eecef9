// A button that copies the command that does the same as the page.
#pragma once

#include <functional>

#include <QPushButton>

namespace ladimo::ui {

class CopyCommand : public QPushButton {
  Q_OBJECT
 public:
  /// `command` is asked for the lines when the button is pressed.
  explicit CopyCommand(std::function<QString()> command, QWidget* parent = nullptr);

 private:
  void copy();

  std::function<QString()> command_;
};

}  // namespace ladimo::ui
