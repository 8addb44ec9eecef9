// Compares the converted model with the dense original on any text and on tasks: figures, plots and all
// earlier measurements.
#pragma once

#include <memory>

#include <QWidget>

#include "base/events.h"
#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"
#include "ui/engine/serve_client.h"
#include "ui/models/run_data.h"

class QAbstractItemModel;
class QProgressBar;
class QPushButton;
class QSortFilterProxyModel;
class QTableView;
class QTabWidget;

namespace ladimo::ui {

class EvaluationRequestForm;
class KlPercentilesPlot;
class MeasuredFigures;
class MeasuredPlot;
class MeasurementsModel;
class Notice;
class PolicyEditor;
class TaskResults;
class TextScoresModel;

class EvaluationPanel : public QWidget {
  Q_OBJECT
 public:
  EvaluationPanel(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve, Engine engine,
                  QWidget* parent = nullptr);

 private:
  void make_table(QTableView& table, QAbstractItemModel& model, const QString& name, const QString& file);
  void lay_out();
  QWidget* lay_out_text();
  QString command_of(const ServeClient::Measuring& request) const;
  void measure_or_cancel();
  void start();
  void show_state();
  void show_step(int request, const StepEvent& event);
  void show_progress(int request, const ProgressEvent& event);
  void finish(int request, const Outcome& outcome);
  void show_result(const Outcome& outcome);
  void show_history();
  void show_selected();
  void show_tasks(const Measurement& measurement);

  std::shared_ptr<const RunData> run_;
  PolicyEditor& editor_;
  ServeClient& serve_;
  int request_ = 0;  // 0: none
  bool says_why_not_ = false;
  QString step_;

  EvaluationRequestForm* form_;
  QPushButton* button_;
  QProgressBar* progress_;
  Notice* notice_;
  MeasuredFigures* figures_;
  KlPercentilesPlot* percentiles_;
  MeasuredPlot* measured_;
  TextScoresModel* texts_;
  QTableView* texts_table_;
  TaskResults* tasks_;
  QTabWidget* results_;  // of the text, of the tasks
  MeasurementsModel* history_;
  QSortFilterProxyModel* sorted_;
  QTableView* history_table_;
};

}  // namespace ladimo::ui
