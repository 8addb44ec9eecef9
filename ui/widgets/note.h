// A paragraph that explains something or says what is wrong. Its colour follows the palette.
#pragma once

#include <QLabel>

namespace ladimo::ui {

class Note : public QLabel {
  Q_OBJECT
 public:
  enum class Kind { plain, faint, wrong };
  explicit Note(Kind kind = Kind::faint, const QString& text = {}, QWidget* parent = nullptr);

  void say(Kind kind, const QString& text);

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void recolour();

  Kind kind_;
};

}  // namespace ladimo::ui
