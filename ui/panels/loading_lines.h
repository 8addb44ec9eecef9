// The lines that load a written model elsewhere, to be copied.
#pragma once

#include <QWidget>

class QPlainTextEdit;

namespace ladimo::ui {

class LoadingLines : public QWidget {
  Q_OBJECT
 public:
  explicit LoadingLines(QWidget* parent = nullptr);

  void show_lines(const QString& lines);

 private:
  void fit_height();

  QPlainTextEdit* text_;
};

}  // namespace ladimo::ui
