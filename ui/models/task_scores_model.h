// The answers to tasks as a table: two rows for each task, one for each way of choosing the answers.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "run/task_words.h"

namespace ladimo::ui {

class TaskScoresModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { task, chosen, questions, dense, converted, difference, p, shown, column_count };

  using QAbstractTableModel::QAbstractTableModel;

  void set_tasks(const std::vector<TaskResult>& tasks);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;

 private:
  std::vector<TaskScore> scores_;
};

/// A sentence for each task, by the most probable choice, and whether the run has seen it; one a line.
QString tasks_in_sentences(const std::vector<TaskResult>& tasks);
/// "arc_easy −0.4 · piqa +0.7": the differences in points.
QString tasks_in_short(const std::vector<TaskResult>& tasks);

}  // namespace ladimo::ui
