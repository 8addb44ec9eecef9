#include "ui/panels/evaluation_panel.h"

#include <algorithm>

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <QTabWidget>
#include <QTableView>

#include <nlohmann/json.hpp>

#include "run/step.h"
#include "ui/engine/answer.h"
#include "ui/engine/serve_client.h"
#include "ui/models/command_lines.h"
#include "ui/models/measurements_model.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"
#include "ui/models/task_scores_model.h"
#include "ui/models/text_scores_model.h"
#include "ui/panels/evaluation_request.h"
#include "ui/panels/measured_figures.h"
#include "ui/panels/notice.h"
#include "ui/panels/task_results.h"
#include "ui/plots/kl_percentiles_plot.h"
#include "ui/plots/measured_plot.h"
#include "ui/settings/settings.h"
#include "ui/widgets/copy_command.h"
#include "ui/widgets/help_bubble.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {
namespace {

enum Result { of_text, of_tasks };
constexpr int shown_texts = 4;  // rows of the table of texts that are visible at once

}  // namespace

EvaluationPanel::EvaluationPanel(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve,
                                 Engine engine, QWidget* parent)
    : QWidget(parent),
      run_(std::move(run)),
      editor_(editor),
      serve_(serve),
      form_(new EvaluationRequestForm(editor, engine)),
      button_(new QPushButton(tr("&Measure"))),
      progress_(new QProgressBar),
      notice_(new Notice),
      figures_(new MeasuredFigures),
      percentiles_(new KlPercentilesPlot),
      measured_(new MeasuredPlot),
      texts_(new TextScoresModel(this)),
      texts_table_(new QTableView),
      tasks_(new TaskResults),
      results_(new QTabWidget),
      history_(new MeasurementsModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      history_table_(new QTableView) {
  setObjectName(QStringLiteral("evaluation_panel"));
  button_->setObjectName(QStringLiteral("measure"));
  make_table(*texts_table_, *texts_, tr("Results per text"), QStringLiteral("texts"));
  make_table(tasks_->table(), tasks_->model(), tr("Results per task"), QStringLiteral("tasks"));
  tasks_->table().setSortingEnabled(false);
  sorted_->setSourceModel(history_);
  sorted_->setSortRole(MeasurementsModel::sort_role);
  make_table(*history_table_, *sorted_, tr("All measurements of this run"), QStringLiteral("measurements"));
  history_table_->sortByColumn(MeasurementsModel::date, Qt::DescendingOrder);
  history_table_->setSelectionMode(QAbstractItemView::SingleSelection);
  history_table_->setObjectName(QStringLiteral("history"));
  set_help(*this, Help::measured);
  set_help(*history_table_, Help::measurements);
  texts_table_->setObjectName(QStringLiteral("texts"));
  lay_out();
  show_history();
  show_state();

  connect(button_, &QPushButton::clicked, this, &EvaluationPanel::measure_or_cancel);
  connect(form_, &EvaluationRequestForm::changed, this, &EvaluationPanel::show_state);
  connect(&serve_, &ServeClient::moved_up, this, &EvaluationPanel::show_state);
  connect(&serve_, &ServeClient::step, this, &EvaluationPanel::show_step);
  connect(&serve_, &ServeClient::progress, this, &EvaluationPanel::show_progress);
  connect(&serve_, &ServeClient::finished, this, &EvaluationPanel::finish);
  connect(&RunHistory::of(editor_), &RunHistory::measurements_changed, this, &EvaluationPanel::show_history);
  connect(history_table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &EvaluationPanel::show_selected);
}

void EvaluationPanel::make_table(QTableView& table, QAbstractItemModel& model, const QString& name,
                                 const QString& file) {
  table.setModel(&model);
  set_table_look(table);
  table.setAccessibleName(name);
  auto* actions = new TableActions(table, run_->name() + '-' + file);
  connect(actions, &TableActions::failed, notice_, &Notice::show_error);
  connect(actions, &TableActions::saved, notice_,
          [this](const QString& path) { notice_->show_saved(tr("Saved as %1.").arg(path), path); });
}

QWidget* EvaluationPanel::lay_out_text() {
  const int space = spacing(*this);
  texts_table_->setSortingEnabled(false);
  texts_table_->hide();
  texts_table_->setMaximumHeight((shown_texts + 2) * 3 * space + 2 * space);

  auto* left = new QWidget;
  auto* left_column = new QVBoxLayout(left);
  left_column->setContentsMargins({});
  left_column->setSpacing(space);
  left_column->addWidget(figures_);
  left_column->addWidget(texts_table_);
  left_column->addStretch(1);
  auto* results = new QSplitter(Qt::Horizontal);
  results->setContentsMargins(0, space, 0, 0);
  results->addWidget(left);
  results->addWidget(percentiles_);
  results->addWidget(measured_);
  for (int i = 0; i < results->count(); ++i) results->setStretchFactor(i, 1);
  results->setSizes({70 * space, 60 * space, 50 * space});
  results->setHandleWidth(2 * space);
  results->setChildrenCollapsible(false);
  remember_splitter(*results, keys::evaluation_columns);
  return results;
}

void EvaluationPanel::lay_out() {
  const int space = spacing(*this);
  QSizePolicy keeps_its_room = progress_->sizePolicy();
  keeps_its_room.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(keeps_its_room);
  results_->setObjectName(QStringLiteral("results"));
  results_->setDocumentMode(true);
  results_->addTab(lay_out_text(), tr("Text"));
  results_->addTab(tasks_, tr("Tasks"));
  auto* all = new QSplitter(Qt::Vertical);
  all->addWidget(results_);
  all->addWidget(history_table_);
  all->setSizes({60 * space, 30 * space});
  all->setHandleWidth(2 * space);
  all->setChildrenCollapsible(false);

  remember_splitter(*all, keys::evaluation_rows);

  auto* working = new QHBoxLayout;
  working->setSpacing(space);
  working->addWidget(button_);
  working->addWidget(progress_, 1);
  working->addWidget(notice_, 3);
  working->addWidget(new CopyCommand([this] { return command_of(form_->request()); }));
  auto* page = new QVBoxLayout(this);
  page->setContentsMargins(2 * space, 2 * space, 2 * space, space);
  page->setSpacing(space);
  page->addWidget(form_);
  page->addLayout(working);
  page->addWidget(all, 1);
}

void EvaluationPanel::measure_or_cancel() {
  if (request_ != 0)
    serve_.cancel(request_);
  else
    start();
}

void EvaluationPanel::start() {
  step_.clear();
  progress_->setRange(0, 0);
  request_ = serve_.evaluate(form_->request());
  show_state();
}

QString EvaluationPanel::command_of(const ServeClient::Measuring& request) const {
  QStringList arguments{QStringLiteral("eval"), run_->folder};
  const auto add = [&](const char* option, const QStringList& values) {
    if (!values.isEmpty()) arguments << QLatin1String(option) << values;
  };
  add("--text", request.text);
  if (request.tokens > 0) add("--tokens", {QString::number(request.tokens)});
  add("--tasks", request.tasks);
  if (request.tasks_only) arguments << QStringLiteral("--tasks-only");
  return command_under(editor_, *request.policy, arguments << serve_.original_option());
}

void EvaluationPanel::show_state() {
  const bool working = request_ != 0;
  const QString why_not = working ? QString() : form_->why_not();
  button_->setText(working ? tr("&Cancel") : tr("&Measure"));
  button_->setEnabled(why_not.isEmpty());
  button_->setToolTip(!why_not.isEmpty() ? why_not
                      : working          ? tr("Stops this measurement without keeping it")
                                : tr("Runs the original and the converted model on the text and the tasks"));
  progress_->setVisible(working);
  if (!why_not.isEmpty())
    notice_->say(why_not);
  else if (says_why_not_)
    notice_->clear();
  says_why_not_ = !why_not.isEmpty();
  if (!working || !step_.isEmpty()) return;
  const QString waits = serve_.waits_for(request_);
  notice_->say(waits.isEmpty() ? tr("Measuring…") : waits);
}

void EvaluationPanel::show_step(int request, const StepEvent& event) {
  if (request != request_) return;
  step_ = QString::fromStdString(step_in_words(event.name));
  notice_->say(event.count > 1 ? tr("%1 · step %2 of %3").arg(step_).arg(event.index + 1).arg(event.count)
                               : step_);
}

void EvaluationPanel::show_progress(int request, const ProgressEvent& event) {
  if (request != request_ || event.total <= 0) return;
  constexpr int thousandths = 1000;
  if (step_.isEmpty()) step_ = tr("Measuring");
  progress_->setRange(0, thousandths);
  progress_->setValue(static_cast<int>(thousandths * event.done / event.total));
  QString text = event.layer >= 0 ? tr("%1 · layer %2").arg(step_).arg(event.layer) : step_;
  if (event.eta_s >= 0) text += tr(" · about %1 left").arg(whole_seconds(event.eta_s));
  notice_->say(text);
}

void EvaluationPanel::finish(int request, const Outcome& outcome) {
  if (request != request_) return;
  request_ = 0;
  notice_->clear();
  show_state();
  if (outcome.kind == Outcome::Kind::canceled) {
    notice_->say(tr("Cancelled. Nothing was measured."));
  } else if (!outcome.done()) {
    notice_->show_error(complaint(outcome));
  } else {
    try {
      show_result(outcome);
      if (!outcome.warning.isEmpty()) notice_->say(outcome.warning);
    } catch (const Refusal& refusal) {
      notice_->show_error(complaint(refusal.problem()));
    }
  }
}

void EvaluationPanel::show_result(const Outcome& outcome) {
  const Measurement& measurement = measurement_in(outcome);
  const Evaluation evaluation = evaluation_from_json(parse_answer(outcome.output));
  RunHistory::of(editor_).add(measurement);  // add() selects it and shows its figures
  if (!evaluation.tasks.empty()) results_->setCurrentIndex(of_tasks);
  auto scores = evaluation.text ? evaluation.text->domains : std::vector<TextEvaluation::Domain>();
  texts_->set_scores(scores);
  texts_table_->setVisible(!scores.empty());
  fit_columns(*texts_table_);
  if (scores.size() > 1) scores.push_back(scores_of(measurement));
  if (!scores.empty()) percentiles_->show_scores(std::move(scores));
}

void EvaluationPanel::show_history() {
  const auto& measurements = RunHistory::of(editor_).measurements();
  history_->set_measurements(measurements);
  fit_columns(*history_table_);
  measured_->show_measurements(measurements);
  if (measurements.empty())
    figures_->show_nothing(
        tr("This run has not been measured yet. Measure compares the converted model with the original, "
           "token by token, on text it was not calibrated on."));
  else
    history_table_->selectRow(sorted_->mapFromSource(history_->index(0, 0)).row());
  show_selected();
}

void EvaluationPanel::show_selected() {
  const auto rows = history_table_->selectionModel()->selectedRows();
  if (rows.isEmpty()) return;
  const Measurement& measurement = history_->at(sorted_->mapToSource(rows.first()).row());
  if (measurement.has_text())
    figures_->show_measurement(measurement);
  else
    figures_->show_nothing(tr("Only tasks were measured, no text."));
  texts_table_->hide();  // only the result of an evaluation has its texts one by one
  percentiles_->show_scores({scores_of(measurement)});
  show_tasks(measurement);
}

/// Turns to the other results where there is nothing in those that are shown.
void EvaluationPanel::show_tasks(const Measurement& measurement) {
  tasks_->show_tasks(measurement.tasks);
  const auto count = measurement.tasks.size();
  results_->setTabText(of_tasks, count == 0 ? tr("Tasks") : tr("Tasks (%1)").arg(count));
  if (!measurement.has_text())
    results_->setCurrentIndex(of_tasks);
  else if (count == 0)
    results_->setCurrentIndex(of_text);
}

}  // namespace ladimo::ui
