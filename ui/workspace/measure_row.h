// Measures the chosen policy in the background: a button, the progress and the result.
#pragma once

#include <optional>

#include <QWidget>

#include "base/events.h"
#include "ui/models/run_data.h"

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

  /// Evaluates the chosen policy on the run's checking split, and times it where the cost is time. The result
  /// goes into the run's history.
  void measure();
  void cancel();
  bool measuring() const { return request_ != 0; }

 private:
  void follow();
  void show_waiting();
  QString doing() const;
  void show_progress(int request, const ProgressEvent& event);
  void finish(int request, const Outcome& outcome);
  void accept(const Outcome& outcome);
  void say(const QString& sentence, bool failed);

  PolicyEditor& editor_;
  ServeClient& serve_;
  int request_ = 0;                       // 0: none
  std::optional<Measurement> evaluated_;  // the evaluation whose times are being taken
  QString warning_;                       // from the engine, about this measurement
  QPushButton* button_;
  QStackedWidget* pages_;
  Note* found_;
  QLabel* doing_;
  QProgressBar* bar_;
  QPushButton* cancel_;
};

}  // namespace ladimo::ui
