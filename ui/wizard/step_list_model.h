// The steps of a conversion as a table, with their state and their time.
#pragma once

#include <vector>

#include <QAbstractTableModel>

#include "run/plan.h"
#include "ui/models/theme.h"

namespace ladimo::ui {

struct StepState {
  enum class Status { waiting, running, done };
  PlanStep plan;
  Status status = Status::waiting;
  double seconds = 0;        // spent so far
  bool done_before = false;  // in an earlier start, though it runs again
};

class StepListModel : public QAbstractTableModel {
  Q_OBJECT
 public:
  enum Column { status, name, time, column_count };

  /// `sentences`: show a sentence about each step in place of its name.
  explicit StepListModel(bool sentences, QObject* parent = nullptr);

  void set_steps(const std::vector<StepState>& steps);
  void set_theme(const Theme& theme);

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  QString text(const StepState& step, int column) const;

  bool sentences_;
  std::vector<StepState> steps_;
  Theme theme_;
};

/// The name of a step as a person reads it.
QString step_title(Step step);

}  // namespace ladimo::ui
