// What a measurement found on tasks: a sentence for each, and a table of all numbers.
#pragma once

#include <vector>

#include <QWidget>

#include "run/evaluation.h"

class QScrollArea;
class QTableView;

namespace ladimo::ui {

class Note;
class TaskScoresModel;

class TaskResults : public QWidget {
  Q_OBJECT
 public:
  explicit TaskResults(QWidget* parent = nullptr);

  TaskScoresModel& model() { return *scores_; }
  QTableView& table() { return *table_; }
  /// Without tasks it says how they are measured.
  void show_tasks(const std::vector<TaskResult>& tasks);

 private:
  TaskScoresModel* scores_;
  Note* sentences_;
  QScrollArea* lines_;  // around the sentences
  QTableView* table_;
};

}  // namespace ladimo::ui
