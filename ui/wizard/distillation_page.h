#pragma once

#include <QTimer>

#include "ui/wizard/wizard_page.h"

class QLabel;
class QPlainTextEdit;
class QProgressBar;
class QPushButton;
class QTableView;
class QTabWidget;

namespace ladimo::ui {

class ConversionJob;
class LayerProgressModel;
class LoadPlot;
class LossPlot;
class MessageBar;
class Note;
class RoutingPlot;
class StepListModel;

/// Page 5: the running conversion, with pause and continue, and with losses, routing weights and expert load
/// as they arrive.
class DistillationPage : public WizardPage {
  Q_OBJECT
 public:
  explicit DistillationPage(ConversionJob& job, QWidget* parent = nullptr);
  bool isComplete() const override;
  /// Asks, in the page, whether to stop; says what is kept.
  void ask_to_stop();
  /// For an interrupted run: shows that it is being read, or why that failed.
  void show_opening(const QString& run);
  void show_failure(const QString& sentence, const QString& hint);

 signals:
  /// The person wants to leave, and nothing is running.
  void leave();

 protected:
  void changeEvent(QEvent* event) override;

 private:
  QWidget* make_tables();
  QWidget* make_plots();
  void answer(int action);
  void pause_or_continue();
  void show_phase();
  void show_state();
  void show_log();
  void show_layers();
  void show_selected();
  int shown_layer() const;
  QString kept() const;

  ConversionJob& job_;
  QTimer tick_;  // limits how often the state is shown
  bool leaving_ = false;
  QLabel* sentence_;
  QLabel* left_;
  QProgressBar* bar_;
  QPushButton* pause_;
  QPushButton* log_button_;
  MessageBar* message_;
  StepListModel* steps_;
  LayerProgressModel* layers_;
  QTableView* step_table_;
  QTableView* layer_table_;
  LossPlot* losses_;
  RoutingPlot* weights_;
  LoadPlot* load_;
  QTabWidget* tabs_;
  QPlainTextEdit* log_;
  qsizetype logged_ = 0;  // number of lines in log_
};

}  // namespace ladimo::ui
