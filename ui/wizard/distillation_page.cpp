#include "ui/wizard/distillation_page.h"

#include <algorithm>

#include <QEvent>
#include <QHeaderView>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSplitter>
#include <QTabWidget>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/models/numbers.h"
#include "ui/plots/load_plot.h"
#include "ui/plots/loss_plot.h"
#include "ui/plots/routing_plot.h"
#include "ui/settings/settings.h"
#include "ui/widgets/message_bar.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"
#include "ui/wizard/conversion_job.h"
#include "ui/wizard/layer_progress_model.h"

namespace ladimo::ui {
namespace {

constexpr int tick_ms = 200;
using Phase = ConversionJob::Phase;

LossPlot::Curve curve_of(const LayerState& layer) {
  LossPlot::Curve curve;
  for (const LossPoint& point : layer.training) curve.steps << point.step, curve.values << point.value;
  for (const LossPoint& point : layer.held_out)
    curve.held_steps << point.step, curve.held_values << point.value;
  return curve;
}

/// The sentence about a finished conversion, with the mean loss before and after.
QString finished_in_words(const ConversionState& state) {
  double before = 0, after = 0, known = 0;
  for (const LayerState& layer : state.layers()) {
    if (!layer.loss_before || !layer.loss_after) continue;
    before += *layer.loss_before;
    after += *layer.loss_after;
    known += 1;
  }
  const auto number = [&](double sum) { return number_text(sum / known); };
  if (state.layers().empty()) return QObject::tr("Finished: inputs and neurons of every layer measured.");
  if (known == 0)
    return QObject::tr("Finished: %1 layers converted, trade-off measured.").arg(state.layers().size());
  return QObject::tr("Finished: %1 layers converted, mean loss %2 → %3, trade-off measured.")
      .arg(state.layers().size())
      .arg(number(before), number(after));
}

QTableView* make_table(QAbstractItemModel* model, const QString& name, int stretched) {
  auto* table = new QTableView;
  table->setAccessibleName(name);
  table->setModel(model);
  set_table_look(*table);
  table->setSortingEnabled(false);
  table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table->horizontalHeader()->setSectionResizeMode(stretched, QHeaderView::Stretch);
  return table;
}

}  // namespace

DistillationPage::DistillationPage(ConversionJob& job, QWidget* parent)
    : WizardPage(parent),
      job_(job),
      sentence_(new Note(Note::Kind::plain)),
      left_(new Note),
      bar_(new QProgressBar),
      pause_(new QPushButton),
      log_button_(new QPushButton),
      message_(new MessageBar) {
  setObjectName(QStringLiteral("distillation_page"));
  setTitle(tr("Converting the model"));
  setSubTitle(tr("Step by step, the model is prepared to skip what a token does not need."));
  setButtonText(QWizard::FinishButton, tr("&Open the run"));
  setFinalPage(true);
  sentence_->setObjectName(QStringLiteral("progress_sentence"));
  left_->setObjectName(QStringLiteral("progress_left"));
  left_->setAlignment(Qt::AlignRight | Qt::AlignTop);
  left_->setMinimumHeight(
      2 * left_->fontMetrics().lineSpacing());  // room for the path of the run, which needs two lines
  sentence_->setAlignment(Qt::AlignLeft | Qt::AlignTop);
  bar_->setObjectName(QStringLiteral("progress"));
  bar_->setRange(0, 1000);
  bar_->setTextVisible(false);
  bar_->setAccessibleName(tr("Progress of the conversion"));
  pause_->setObjectName(QStringLiteral("pause"));
  pause_->setToolTip(tr("Stops after saving finished work; continues at the layer where it stopped"));
  log_button_->setObjectName(QStringLiteral("log_button"));
  log_button_->setCheckable(true);
  log_button_->setToolTip(tr("Shows the log of the conversion"));

  auto* words = new QHBoxLayout;
  words->addWidget(sentence_, 1);
  words->addWidget(left_, 1);
  auto* row = new QHBoxLayout;
  row->addWidget(bar_, 1);
  row->addWidget(pause_);
  row->addWidget(log_button_);
  auto* columns = new QSplitter;
  columns->addWidget(make_tables());
  columns->addWidget(make_plots());
  columns->setChildrenCollapsible(false);
  columns->setStretchFactor(0, 4);
  columns->setStretchFactor(1, 5);
  columns->setHandleWidth(2 * spacing(*this));
  columns->setSizes({40 * spacing(*this), 50 * spacing(*this)});
  remember_splitter(*columns, keys::distillation_columns);
  auto* layout = new QVBoxLayout(this);
  layout->setSpacing(spacing(*this));
  layout->addLayout(words);
  layout->addLayout(row);
  layout->addWidget(message_);
  layout->addWidget(columns, 1);

  tick_.setInterval(tick_ms);
  connect(&tick_, &QTimer::timeout, this, &DistillationPage::show_state);
  connect(pause_, &QPushButton::clicked, this, &DistillationPage::pause_or_continue);
  connect(log_button_, &QPushButton::toggled, log_, &QWidget::setVisible);
  connect(&job, &ConversionJob::phase_changed, this, &DistillationPage::show_phase);
  show_phase();
}

QWidget* DistillationPage::make_tables() {
  steps_ = new StepListModel(false, this);
  layers_ = new LayerProgressModel(this);
  step_table_ = make_table(steps_, tr("Steps"), StepListModel::name);
  step_table_->setObjectName(QStringLiteral("conversion_steps"));
  step_table_->setSelectionMode(QAbstractItemView::NoSelection);
  step_table_->horizontalHeader()->hide();
  step_table_->setFrameShape(QFrame::NoFrame);
  step_table_->setSizeAdjustPolicy(QAbstractScrollArea::AdjustToContents);
  step_table_->setVerticalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  step_table_->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
  layer_table_ = make_table(layers_, tr("Layers"), LayerProgressModel::status);
  layer_table_->setObjectName(QStringLiteral("conversion_layers"));
  layer_table_->setToolTip(
      tr("Select a layer to see its curves; without a selection, the layer in progress is shown"));
  for (auto* actions : {new TableActions(*step_table_, QStringLiteral("steps")),
                        new TableActions(*layer_table_, QStringLiteral("layers"))})
    connect(actions, &TableActions::failed, this, [this](const QString& sentence) {
      message_->show_message({.tone = MessageBar::Tone::error, .sentence = sentence});
    });
  log_ = new QPlainTextEdit;
  log_->setObjectName(QStringLiteral("log"));
  log_->setReadOnly(true);
  log_->setAccessibleName(tr("Log"));
  log_->hide();
  auto* side = new QWidget;
  auto* layout = new QVBoxLayout(side);
  layout->setContentsMargins({});
  layout->addWidget(step_table_);
  layout->addWidget(layer_table_, 2);
  layout->addWidget(log_, 1);
  connect(layer_table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &DistillationPage::show_selected);
  return side;
}

QWidget* DistillationPage::make_plots() {
  losses_ = new LossPlot;
  weights_ = new RoutingPlot;
  load_ = new LoadPlot;
  tabs_ = new QTabWidget;
  tabs_->setDocumentMode(true);
  tabs_->addTab(weights_, tr("Routing weights"));
  tabs_->addTab(load_, tr("Expert load"));
  auto* side = new QSplitter(Qt::Vertical);
  side->addWidget(losses_);
  side->addWidget(tabs_);
  side->setChildrenCollapsible(false);
  side->setHandleWidth(spacing(*this));
  side->setSizes({1, 1});
  side->setStretchFactor(0, 1);
  side->setStretchFactor(1, 1);
  return side;
}

bool DistillationPage::isComplete() const { return job_.phase() == Phase::finished; }

QString DistillationPage::kept() const {
  const int finished = job_.state().finished_layers();
  const QString layers = finished == 0 ? tr("No layer is finished yet")
                         : finished == 1
                             ? tr("One finished layer is kept in %1").arg(job_.run())
                             : tr("%1 finished layers are kept in %2").arg(finished).arg(job_.run());
  return tr("%1. The conversion can be continued at any time.").arg(layers);
}

void DistillationPage::ask_to_stop() {
  message_->show_message(
      {.tone = MessageBar::Tone::warning,
       .sentence = tr("Stop the conversion and close?"),
       .hint =
           tr("Finished layers are kept in %1. The conversion can be continued at any time.").arg(job_.run()),
       .actions = {tr("Keep converting"), tr("Stop and close")},
       .answer = [this](int action) { answer(action); }});
}

void DistillationPage::show_opening(const QString& run) {
  setTitle(tr("Reading the run"));
  sentence_->setText(tr("Reading finished layers in %1").arg(run));
  left_->clear();
  pause_->setEnabled(false);
}

void DistillationPage::show_failure(const QString& sentence, const QString& hint) {
  setTitle(tr("The run cannot be continued"));
  sentence_->clear();
  message_->show_message({.tone = MessageBar::Tone::error, .sentence = sentence, .hint = hint});
}

void DistillationPage::answer(int action) {
  if (action != 1) return;
  leaving_ = true;
  if (job_.running())
    job_.pause();
  else
    emit leave();
}

void DistillationPage::pause_or_continue() {
  message_->clear();
  if (job_.running())
    job_.pause();
  else
    job_.start();
}

void DistillationPage::show_phase() {
  const Phase phase = job_.phase();
  if (leaving_ && !job_.running()) {
    leaving_ = false;
    emit leave();
    return;
  }
  const bool working = job_.running();
  working ? tick_.start() : tick_.stop();
  pause_->setVisible(phase != Phase::finished);
  pause_->setEnabled(phase != Phase::stopping);
  pause_->setText(phase == Phase::running    ? tr("&Pause")
                  : phase == Phase::stopping ? tr("Stopping…")
                  : phase == Phase::failed   ? tr("&Try again")
                                             : tr("&Continue"));
  if (phase != Phase::finished) pause_->setFocus();
  setButtonText(QWizard::CancelButton, phase == Phase::finished ? tr("Close") : tr("Cancel"));
  if (phase == Phase::finished)
    setTitle(tr("Conversion finished"));
  else
    setTitle(working ? tr("Converting the model") : tr("Conversion not finished"));
  if (phase == Phase::failed || phase == Phase::finished) message_->show_outcome(job_.outcome());
  if (phase == Phase::running) message_->clear();
  if (phase == Phase::ready) losses_->clear();  // the curves may be those of an earlier run
  show_state();
  tell_complete();
  // Last, because tell_complete makes the wizard set its buttons. One cannot go back while a conversion is
  // running, and a continued run has no pages before this one.
  if (wizard())
    wizard()
        ->button(QWizard::BackButton)
        ->setEnabled(!working && phase != Phase::finished && wizard()->visitedIds().size() > 1);
}

void DistillationPage::show_state() {
  const ConversionState& state = job_.state();
  const double now = job_.now_s();
  const double spent = state.seconds_spent(now), to_go = state.seconds_left(now);
  switch (job_.phase()) {
    case Phase::running:
      sentence_->setText(state.sentence(now));
      left_->setText(to_go >= 0
                         ? tr("%1 so far · about %2 left").arg(whole_seconds(spent), whole_seconds(to_go))
                         : tr("%1 so far").arg(whole_seconds(spent)));
      break;
    case Phase::stopping:
      sentence_->setText(tr("Stopping and saving finished work"));
      break;
    case Phase::finished:
      sentence_->setText(finished_in_words(state));
      left_->setText(tr("in %1").arg(whole_seconds(spent)));
      break;
    case Phase::failed:
      sentence_->setText(tr("The conversion failed."));
      left_->setText(kept());
      break;
    case Phase::paused:
    case Phase::ready:
      sentence_->setText(job_.phase() == Phase::paused ? tr("Paused.") : tr("Ready to continue."));
      left_->setText(kept());
      break;
  }
  bar_->setValue(job_.phase() == Phase::finished ? 1000 : qRound(1000 * state.share(now)));

  steps_->set_theme(theme_of(palette()));
  steps_->set_steps(state.steps(now));
  layers_->set_theme(theme_of(palette()));
  layers_->set_layers(state.layers());
  show_layers();
  show_selected();
  show_log();
}

/// Only appends new lines, so that the position and the selection stay.
void DistillationPage::show_log() {
  const QStringList& lines = job_.state().log();
  if (lines.size() < logged_) {  // the lines shown are those of another run
    log_->clear();
    logged_ = 0;
  }
  for (; logged_ < lines.size(); ++logged_) log_->appendPlainText(lines[logged_]);
  const auto warnings = job_.state().warnings().size();
  log_button_->setText(warnings == 0   ? tr("&Log")
                       : warnings == 1 ? tr("&Log · 1 warning")
                                       : tr("&Log · %1 warnings").arg(warnings));
}

void DistillationPage::show_layers() {
  for (const LayerState& layer : job_.state().layers())
    if (!layer.training.empty() || !layer.held_out.empty()) losses_->set_curve(layer.layer, curve_of(layer));
}

int DistillationPage::shown_layer() const {
  const QModelIndexList rows = layer_table_->selectionModel()->selectedRows();
  return rows.isEmpty() ? job_.state().current_layer() : layers_->layer_at(rows.first().row());
}

void DistillationPage::show_selected() {
  const int number = shown_layer();
  losses_->select(number);
  const LayerState* layer = job_.state().layer(number);
  weights_->set_title(number < 0 ? tr("Routing weights") : tr("Routing weights of layer %1").arg(number));
  weights_->set_counts(layer ? layer->counts : HistogramCounts());
  load_->set_load(layer ? layer->expert_load : std::vector<double>());
}

void DistillationPage::changeEvent(QEvent* event) {
  WizardPage::changeEvent(event);
  if (event->type() == QEvent::PaletteChange && steps_) show_state();
}

}  // namespace ladimo::ui
