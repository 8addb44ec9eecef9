// A card for one kind of export: what it is, a button, and how it ended.
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

  /// Disables the card and says why it cannot be used.
  void set_later(const QString& why);
  void set_button(const QString& text);
  /// `thousandths` < 0 means that nobody knows how far it is.
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
