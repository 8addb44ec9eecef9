// The card of the second demo on the start page: fetches SmolLM2 when it is asked for, then offers it.
#pragma once

#include <QWidget>

#include "ui/settings/demo.h"

class QProgressBar;
class QPushButton;

namespace ladimo::ui {

class Card;
class Note;
class Smollm2Fetch;

class Smollm2Card : public QWidget {
  Q_OBJECT
 public:
  explicit Smollm2Card(Smollm2 smollm2, QWidget* parent = nullptr);
  /// Looks whether the model is there.
  void refresh();

 signals:
  void convert_wanted(const QString& model);

 private:
  void press();
  void show_state();
  void show_progress(qint64 bytes);

  Smollm2 smollm2_;
  Smollm2Fetch* fetch_;
  Card* card_;
  QProgressBar* progress_;
  QPushButton* cancel_;
  QWidget* working_;
  Note* failure_;
  QString model_;  // empty: it is not there
};

}  // namespace ladimo::ui
