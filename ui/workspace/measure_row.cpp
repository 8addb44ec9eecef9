#include "ui/workspace/measure_row.h"

#include <utility>

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>

#include <nlohmann/json.hpp>

#include "run/bench_result.h"
#include "ui/engine/answer.h"
#include "ui/engine/serve_client.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

void take_times(const BenchResult& bench, PolicyNumbers& numbers) {
  constexpr double ms_per_s = 1000;
  if (bench.decode.converted_tokens_per_s)
    numbers.decode_ms = ms_per_s / *bench.decode.converted_tokens_per_s;
  if (bench.prefill.converted_tokens_per_s)
    numbers.prefill_ms = ms_per_s / *bench.prefill.converted_tokens_per_s;
}

}  // namespace

MeasureRow::MeasureRow(PolicyEditor& editor, ServeClient& serve, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      serve_(serve),
      button_(new QPushButton(tr("&Measure"))),
      pages_(new QStackedWidget),
      found_(new Note(Note::Kind::plain)),
      doing_(new QLabel),
      bar_(new QProgressBar),
      cancel_(new QPushButton(tr("Cancel"))) {
  button_->setObjectName(QStringLiteral("measure"));
  button_->setToolTip(
      tr("Measures the current policy on the run's held-out text, in the background (Ctrl+M)"));
  found_->setObjectName(QStringLiteral("measured_sentence"));
  found_->setTextFormat(Qt::AutoText);                                // measured values are bold
  found_->setMinimumHeight(2 * found_->fontMetrics().lineSpacing());  // the layout must not jump
  bar_->setTextVisible(false);
  cancel_->setObjectName(QStringLiteral("cancel_measuring"));
  cancel_->setToolTip(tr("Stops this measurement without keeping it"));

  auto* progress = new QWidget;
  auto* inside = new QHBoxLayout(progress);
  inside->setContentsMargins({});
  inside->addWidget(doing_);
  inside->addWidget(bar_, 1);
  inside->addWidget(cancel_);
  pages_->addWidget(found_);
  pages_->addWidget(progress);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins({});
  row->setSpacing(spacing(*this));
  row->addWidget(button_);
  row->addWidget(pages_, 1);

  connect(button_, &QPushButton::clicked, this, &MeasureRow::measure);
  connect(cancel_, &QPushButton::clicked, this, &MeasureRow::cancel);
  connect(&serve_, &ServeClient::moved_up, this, &MeasureRow::show_waiting);
  connect(&serve_, &ServeClient::progress, this, &MeasureRow::show_progress);
  connect(&serve_, &ServeClient::finished, this, &MeasureRow::finish);
  connect(&editor_, &PolicyEditor::changed, this, &MeasureRow::follow);
  connect(&RunHistory::of(editor_), &RunHistory::measurements_changed, this, &MeasureRow::follow);
  follow();
}

void MeasureRow::measure() {
  if (measuring()) return;
  request_ = serve_.evaluate({editor_.policy()});
  button_->setEnabled(false);
  pages_->setCurrentIndex(1);
  show_waiting();
}

QString MeasureRow::doing() const { return evaluated_ ? tr("Timing the policy") : tr("Measuring"); }

void MeasureRow::show_waiting() {
  if (!measuring()) return;
  const QString why = serve_.waits_for(request_);
  bar_->setRange(0, 0);
  doing_->setText(why.isEmpty() ? doing() : why);
}

void MeasureRow::cancel() {
  if (measuring()) serve_.cancel(request_);
}

void MeasureRow::show_progress(int request, const ProgressEvent& event) {
  if (request != request_ || event.total <= 0) return;
  constexpr int parts = 1000;
  bar_->setRange(0, parts);
  bar_->setValue(static_cast<int>(parts * event.done / event.total));
  doing_->setText(event.eta_s < 0 ? doing() : tr("%1 · %2 left").arg(doing(), whole_seconds(event.eta_s)));
}

void MeasureRow::finish(int request, const Outcome& outcome) {
  if (request != request_) return;
  request_ = 0;
  QString failure;
  try {
    accept(outcome);
    if (measuring()) return show_waiting();
  } catch (const Error& error) {
    failure = complaint(error.problem());
  }
  button_->setEnabled(true);
  pages_->setCurrentIndex(0);
  const bool kept = evaluated_.has_value();  // even if the timing failed
  if (kept) RunHistory::of(editor_).add(std::move(*evaluated_));
  evaluated_.reset();
  const QString warning = std::exchange(warning_, {});
  if (outcome.kind == Outcome::Kind::canceled) {
    if (!kept) say(tr("The measurement was cancelled."), false);
  } else if (!outcome.done())
    say(complaint(outcome), true);
  else if (!failure.isEmpty())
    say(failure, true);
  else if (!warning.isEmpty())
    say(found_->text() + QStringLiteral("<br>") + warning.toHtmlEscaped(), false);
}

/// Takes the result of the evaluation, or that of the timing that follows it.
void MeasureRow::accept(const Outcome& outcome) {
  if (!outcome.done()) return;
  warning_ += outcome.warning;
  if (evaluated_)
    return take_times(bench_result_from_json(parse_answer(outcome.output)), evaluated_->numbers);
  evaluated_ = measurement_in(outcome);
  if (editor_.cost() == Cost::decode_ms) request_ = serve_.bench(evaluated_->policy);
}

/// Shows the newest measurement of the chosen policy.
void MeasureRow::follow() {
  const Measurement* last = RunHistory::of(editor_).newest(editor_.policy(), EvaluatedText::checking);
  say(last ? measured_sentence(*last, editor_.policy().predicted.kl)
           : tr("This policy has not been measured yet."),
      false);
}

void MeasureRow::say(const QString& sentence, bool failed) {
  found_->say(failed ? Note::Kind::wrong : Note::Kind::plain, sentence);
}

}  // namespace ladimo::ui
