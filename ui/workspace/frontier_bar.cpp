#include "ui/workspace/frontier_bar.h"

#include <algorithm>
#include <cmath>

#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QStandardItemModel>
#include <QVBoxLayout>

#include "base/error.h"
#include "ui/engine/lexicon.h"
#include "ui/models/command_lines.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"
#include "ui/plots/frontier_plot.h"
#include "ui/widgets/copy_command.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/workspace/measure_row.h"
#include "ui/workspace/settling_slider.h"
#include "ui/workspace/slider_row.h"
#include "ui/workspace/target_field.h"

namespace ladimo::ui {
namespace {

constexpr int slider_steps = 1000;

FrontierMark mark_of(const Measurement& measurement, const PolicyEditor& editor, Cost cost) {
  const PolicyNumbers expected = editor.predicted(measurement.policy);
  // Not every measurement has times.
  const bool untimed = cost == Cost::decode_ms && !measurement.numbers.decode_ms;
  QString reading =
      QObject::tr("Measured KL %1, predicted %2\n%3")
          .arg(number_text(measurement.numbers.kl), number_text(expected.kl), date_text(measurement.date));
  if (untimed) reading += '\n' + QObject::tr("The time is predicted: it was not measured.");
  return {cost_of(untimed ? expected : measurement.numbers, cost),
          measurement.numbers.kl,
          expected.kl,
          {},
          reading,
          untimed};
}

FrontierMark mark_of(const QString& name, const Policy& policy, const PolicyEditor& editor, Cost cost) {
  const PolicyNumbers expected = editor.predicted(policy);
  return {cost_of(expected, cost),
          expected.kl,
          {},
          name,
          QObject::tr("Saved as %1: KL %2 (predicted)").arg(name, number_text(expected.kl))};
}

/// The button keeps its text, so that the slider keeps its size. The tooltip says what would be undone.
QPushButton* add_button(QBoxLayout& row, const QString& text, QKeySequence::StandardKey key, bool enabled) {
  auto* button = new QPushButton(text);
  button->setEnabled(enabled);
  button->setToolTip(QKeySequence(key).toString(QKeySequence::NativeText));
  row.addWidget(button);
  return button;
}

}  // namespace

FrontierBar::FrontierBar(PolicyEditor& editor, ServeClient& serve, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      plot_(new FrontierPlot),
      slider_(new SettlingSlider),
      cheapest_(new QLabel),
      row_(new SliderRow(*slider_, *new QLabel(tr("Most accurate")), *cheapest_)),
      target_(new TargetField(editor)),
      grains_(new QComboBox),
      costs_(new QComboBox),
      no_milliseconds_(new QLabel),
      reset_pins_(new QPushButton(tr("&Reset pins"))),
      save_(new QPushButton(tr("&Save"))),
      sentence_(new Note(Note::Kind::plain)),
      measure_(new MeasureRow(editor, serve)) {
  constexpr int frontier_rest_ms = 100;
  frontier_changed_.setSingleShot(true);
  frontier_changed_.setInterval(frontier_rest_ms);
  connect(&frontier_changed_, &QTimer::timeout, this, &FrontierBar::draw_frontier);
  plot_->setObjectName(QStringLiteral("frontier_plot"));
  sentence_->setObjectName(QStringLiteral("predicted_sentence"));
  sentence_->setAlignment(Qt::AlignTop);
  sentence_->setMinimumHeight(2 * sentence_->fontMetrics().lineSpacing());  // the layout must not jump
  sentence_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  QString tip =
      tr("KL: how far the next-token predictions are from the original's, in nats per token; 0 is no "
         "change.\nPerplexity: how many tokens the model hesitates between; the change against the "
         "original's.\nActivated: the parameters that one token uses, on average.");
  if (editor_.run().latency) tip += '\n' + times_source(*editor_.run().latency);
  sentence_->setToolTip(tip);
  make_slider();
  make_costs();
  make_grains();
  arrange();
  connect(plot_, &FrontierPlot::drawn, this, &FrontierBar::align_slider);
  connect(target_, &TargetField::refused, this, &FrontierBar::refuse);
  connect(target_, &QLineEdit::textEdited, this, &FrontierBar::follow);
  connect(plot_, &FrontierPlot::picked, this, &FrontierBar::pick);
  connect(plot_, &FrontierPlot::pick_ended, &editor_, &PolicyEditor::commit);
  connect(&editor_, &PolicyEditor::changed, this, &FrontierBar::follow);
  RunHistory& history = RunHistory::of(editor_);
  connect(&history, &RunHistory::measurements_changed, this, &FrontierBar::draw_marks);
  connect(&history, &RunHistory::policies_changed, this, &FrontierBar::draw_marks);
  connect(&history, &RunHistory::policies_changed, this, &FrontierBar::follow);
  follow();
  draw_frontier();
}

void FrontierBar::focus_slider() { slider_->setFocus(); }
void FrontierBar::measure() { measure_->measure(); }

void FrontierBar::make_slider() {
  slider_->setObjectName(QStringLiteral("tradeoff"));
  slider_->setRange(0, slider_steps);
  slider_->setSingleStep(slider_steps / 100);
  slider_->setPageStep(slider_steps / 20);
  slider_->setAccessibleName(label_of(Setting::tradeoff));
  slider_->setToolTip(
      tr("Moves along the frontier: each position is the policy with the best accuracy at its cost"));
  connect(slider_, &SettlingSlider::moved, this,
          [this](int value) { editor_.set_tradeoff(static_cast<double>(value) / slider_steps); });
  connect(slider_, &SettlingSlider::settled, &editor_, &PolicyEditor::commit);
}

void FrontierBar::make_costs() {
  costs_->setObjectName(QStringLiteral("cost"));
  costs_->addItems({tr("Activated parameters"), tr("Measured milliseconds")});
  costs_->setAccessibleName(label_of(Setting::cost));
  costs_->setToolTip(tr("The cost that is traded against KL"));
  const QString why_not = why_no_milliseconds(editor_);
  if (!why_not.isEmpty()) static_cast<QStandardItemModel*>(costs_->model())->item(1)->setEnabled(false);
  no_milliseconds_->setText(why_not);
  no_milliseconds_->setWordWrap(true);
  if (why_not.isEmpty()) no_milliseconds_->hide();
  no_milliseconds_->setObjectName(QStringLiteral("why_no_milliseconds"));
  connect(costs_, &QComboBox::activated, this,
          [this](int index) { editor_.set_cost(index == 0 ? Cost::activated : Cost::decode_ms); });
}

void FrontierBar::make_grains() {
  grains_->setObjectName(QStringLiteral("grains"));
  grains_->addItems({tr("Experts, neurons, inputs"), tr("Experts only"), tr("Neurons and inputs")});
  grains_->setAccessibleName(tr("What may be skipped"));
  grains_->setToolTip(
      tr("What a token may skip. Experts are chosen by the router, neurons and inputs by their "
         "size.\nFormats of other programs support only experts."));
  grains_->setVisible(editor_.knows_inputs());
  connect(grains_, &QComboBox::activated, this,
          [this](int index) { editor_.set_allowed(static_cast<Allowed>(index)); });
}

QLayout* FrontierBar::make_history_buttons() {
  auto* row = new QHBoxLayout;
  QUndoStack& stack = editor_.undo();
  QPushButton* undo = add_button(*row, tr("&Undo"), QKeySequence::Undo, stack.canUndo());
  QPushButton* redo = add_button(*row, tr("Re&do"), QKeySequence::Redo, stack.canRedo());
  connect(undo, &QPushButton::clicked, &stack, &QUndoStack::undo);
  connect(redo, &QPushButton::clicked, &stack, &QUndoStack::redo);
  connect(&stack, &QUndoStack::canUndoChanged, undo, &QWidget::setEnabled);
  connect(&stack, &QUndoStack::canRedoChanged, redo, &QWidget::setEnabled);
  connect(&stack, &QUndoStack::undoTextChanged, undo,
          [undo](const QString& what) { undo->setToolTip(tr("Undo: %1 (Ctrl+Z)").arg(what)); });
  connect(&stack, &QUndoStack::redoTextChanged, redo,
          [redo](const QString& what) { redo->setToolTip(tr("Redo: %1 (Ctrl+Shift+Z)").arg(what)); });
  reset_pins_->setObjectName(QStringLiteral("reset_pins"));
  reset_pins_->setToolTip(tr("Every layer follows the trade-off slider again"));
  connect(reset_pins_, &QPushButton::clicked, &editor_, &PolicyEditor::reset_pins);
  row->addWidget(reset_pins_);
  return row;
}

QLayout* FrontierBar::make_policy_buttons() {
  auto* row = new QHBoxLayout;
  save_->setObjectName(QStringLiteral("save_chosen"));
  save_->setToolTip(tr("Saves the current policy as the run's (Ctrl+S)"));
  connect(save_, &QPushButton::clicked, this, &FrontierBar::save_wanted);
  row->addWidget(save_);
  row->addWidget(new CopyCommand([this] { return policy_command(editor_); }), 1);
  return row;
}

/// Beside the plot: what its axis is, what may be left out, where to go, and what to do with the policy.
QLayout* FrontierBar::make_controls() {
  auto* target_row = new QHBoxLayout;
  auto* label = new QLabel(tr("&Target"));
  label->setBuddy(target_);
  target_row->addWidget(label);
  target_row->addWidget(target_, 1);
  auto* column = new QVBoxLayout;
  column->setSpacing(spacing(*this) / 2);
  column->addWidget(costs_);
  column->addWidget(grains_);
  column->addLayout(target_row);
  column->addStretch(1);
  column->addLayout(make_history_buttons());
  column->addLayout(make_policy_buttons());
  return column;
}

void FrontierBar::arrange() {
  const int space = spacing(*this);
  auto* picture = new QVBoxLayout;
  picture->setSpacing(space / 2);
  picture->addWidget(plot_, 1);
  picture->addWidget(row_);
  auto* above = new QHBoxLayout;
  above->setSpacing(space);
  above->addLayout(picture, 1);
  above->addLayout(make_controls());
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins({});
  column->setSpacing(space / 2);
  column->addLayout(above, 1);
  column->addWidget(no_milliseconds_);
  auto* consequences = new QHBoxLayout;
  consequences->addWidget(sentence_, 1);
  consequences->addWidget(new HelpMark(Help::predicted, *this), 0, Qt::AlignTop);
  column->addLayout(consequences);
  column->addWidget(measure_);
}

/// The handle stands under the chosen point.
void FrontierBar::align_slider() {
  const Frontier& frontier = editor_.frontier();
  row_->set_span(plot_->across(frontier.dense_cost()), plot_->across(frontier.cheapest_cost()));
}

/// In the place of the consequences, until the policy changes.
void FrontierBar::refuse(const QString& why) { sentence_->say(Note::Kind::wrong, why); }

void FrontierBar::follow() {
  const PolicyNumbers& numbers = editor_.policy().predicted;
  slider_->show_value(static_cast<int>(std::lround(slider_steps * editor_.tradeoff())));
  costs_->setCurrentIndex(editor_.cost() == Cost::activated ? 0 : 1);
  grains_->setCurrentIndex(static_cast<int>(editor_.allowed()));
  cheapest_->setText(editor_.cost() == Cost::activated ? tr("Cheapest") : tr("Fastest"));
  plot_->keep_room(row_->room_left(), row_->room_right());
  align_slider();
  reset_pins_->setEnabled(!editor_.pins().empty());
  sentence_->say(Note::Kind::plain, predicted_sentence(editor_));
  save_->setEnabled(!RunHistory::of(editor_).keeps_chosen());
  if (editor_.cost() != drawn_cost_ || editor_.allowed() != drawn_allowed_)
    draw_frontier();  // at once, because the unit of the axis or the whole curve changes
  else if (editor_.pins() != drawn_pins_)
    frontier_changed_.start();
  plot_->set_chosen(cost_of(numbers, editor_.cost()), numbers.kl);
}

void FrontierBar::draw_frontier() {
  drawn_cost_ = editor_.cost();
  drawn_allowed_ = editor_.allowed();
  drawn_pins_ = editor_.pins();
  const Frontier& frontier = editor_.frontier();
  const PolicyNumbers& numbers = editor_.policy().predicted;
  plot_->set_frontier(drawn_cost_, frontier.dense_cost(), frontier.points());
  plot_->set_chosen(cost_of(numbers, drawn_cost_), numbers.kl);
  draw_marks();
}

void FrontierBar::draw_marks() {
  const RunHistory& history = RunHistory::of(editor_);
  std::vector<FrontierMark> measured, saved;
  for (const Measurement& measurement : history.measurements())
    if (measurement.has_text() && measurement.split == EvaluatedText::checking)
      measured.push_back(mark_of(measurement, editor_, editor_.cost()));
  for (const auto& [name, policy] : history.policies())
    saved.push_back(mark_of(name, policy, editor_, editor_.cost()));
  plot_->set_saved(std::move(saved));
  plot_->set_measured(std::move(measured));
}

void FrontierBar::pick(double cost) {
  const double dense = editor_.frontier().dense_cost(), cheapest = editor_.frontier().cheapest_cost();
  if (dense > cheapest) editor_.set_tradeoff(std::clamp((dense - cost) / (dense - cheapest), 0.0, 1.0));
}

}  // namespace ladimo::ui
