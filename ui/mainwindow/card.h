// A large button that says what it will do: a small picture, a title, a sentence.
#pragma once

#include <QAbstractButton>

namespace ladimo::ui {

class Card : public QAbstractButton {
  Q_OBJECT
 public:
  enum class Picture { none, convert, run, model, routing };

  Card(Picture picture, const QString& title, const QString& sentence, QWidget* parent = nullptr);
  void set_sentence(const QString& sentence);

  QSize sizeHint() const override;
  bool hasHeightForWidth() const override { return true; }
  int heightForWidth(int width) const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void enterEvent(QEnterEvent* event) override;
  void leaveEvent(QEvent* event) override;

 private:
  QFont title_type() const;
  QRect text_area(int width) const;

  Picture picture_;
  QString sentence_;
};

}  // namespace ladimo::ui
