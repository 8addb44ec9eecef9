// A window of tokens as text. Two alternating tints separate the tokens.
#pragma once

#include <string>
#include <vector>

#include <QPlainTextEdit>

namespace ladimo::ui {

class WindowView : public QPlainTextEdit {
  Q_OBJECT
 public:
  explicit WindowView(QWidget* parent = nullptr);
  void show_tokens(std::vector<std::string> tokens);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void draw();

  std::vector<std::string> tokens_;
};

}  // namespace ladimo::ui
