// One thing that can leave the program: what it is, a button, how it ended.
#pragma once

#include <QFrame>

class QProgressBar;
class QPushButton;

namespace ladimo::ui {

class Notice;

class ExportCard : public QFrame {
  Q_OBJECT
 public:
  ExportCard(const QString& title, const QString& words, const QString& button, QWidget* parent = nullptr);

  /// The card stays in its place and says why it cannot be used.
  void set_later(const QString& why);
  void set_button(const QString& text);
  /// `thousandths` < 0: for an unknown time.
  void show_progress(int thousandths);
  void hide_progress();
  Notice& notice() { return *notice_; }

 signals:
  void clicked();

 private:
  QPushButton* button_;
  QProgressBar* progress_;
  Notice* notice_;
};

}  // namespace ladimo::ui
