// A card for one kind of export: what it is, a button, and how it ended.
#pragma once

#include <QFrame>

class QPushButton;

namespace ladimo::ui {

class Notice;

class ExportCard : public QFrame {
  Q_OBJECT
 public:
  ExportCard(const QString& title, const QString& words, const QString& button, QWidget* parent = nullptr);

  Notice& notice() { return *notice_; }

 signals:
  void clicked();

 private:
  Notice* notice_;
};

}  // namespace ladimo::ui
