// Measuring the chosen policy in the background: the button, how far it is, and what was found.
#pragma once

#include <QWidget>

#include "base/events.h"

class QLabel;
class QProgressBar;
class QPushButton;
class QStackedWidget;

namespace ladimo::ui {

class Note;
class PolicyEditor;
class ServeClient;
struct Outcome;

class MeasureRow : public QWidget {
  Q_OBJECT
 public:
  MeasureRow(PolicyEditor& editor, ServeClient& serve, QWidget* parent = nullptr);

  /// Evaluates the chosen policy on the run's checking split. What is found goes into the run's history.
  void measure();
  void cancel();
  bool measuring() const { return request_ != 0; }

 private:
  void follow();
  void show_progress(int request, const ProgressEvent& event);
  void finish(int request, const Outcome& outcome);
  void say(const QString& sentence, bool failed);

  PolicyEditor& editor_;
  ServeClient& serve_;
  int request_ = 0;  // 0: none
  QPushButton* button_;
  QStackedWidget* pages_;
  Note* found_;
  QLabel* doing_;
  QProgressBar* bar_;
  QPushButton* cancel_;
};

}  // namespace ladimo::ui
