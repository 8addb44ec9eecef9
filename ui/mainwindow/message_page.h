// A page with one message, such as reading or failed: title, sentence, hint and one button.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace ladimo::ui {

class MessagePage : public QWidget {
  Q_OBJECT
 public:
  struct Message {
    QString title;
    QString sentence;
    QString hint;
    QString button;
    bool busy = false;    // shows a busy indicator
    bool failed = false;  // the title has the colour of errors
  };

  explicit MessagePage(QWidget* parent = nullptr);
  void show_message(const Message& message);

 signals:
  void clicked();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  void recolour();

  QLabel* title_;
  QLabel* sentence_;
  QLabel* hint_;
  QProgressBar* busy_;
  QPushButton* button_;
  bool failed_ = false;
};

}  // namespace ladimo::ui
