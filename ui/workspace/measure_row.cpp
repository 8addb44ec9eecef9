#include "ui/workspace/measure_row.h"

#include <algorithm>

#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QStackedWidget>

#include "base/error.h"
#include "base/format.h"
#include "ui/engine/serve_client.h"
#include "ui/mainwindow/note.h"
#include "ui/mainwindow/spacing.h"
#include "ui/models/evaluation_result.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"

namespace ladimo::ui {
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
  button_->setShortcut(QKeySequence(tr("Ctrl+M")));
  button_->setToolTip(
      tr("Measures the chosen policy on the run's own held-out text, in the background (Ctrl+M)"));
  found_->setObjectName(QStringLiteral("measured_sentence"));
  found_->setTextFormat(Qt::AutoText);                                // what was measured stands in bold
  found_->setMinimumHeight(2 * found_->fontMetrics().lineSpacing());  // nothing jumps
  bar_->setTextVisible(false);
  cancel_->setObjectName(QStringLiteral("cancel_measuring"));
  cancel_->setToolTip(tr("Stops measuring; nothing is kept of it"));

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
  connect(&serve_, &ServeClient::progress, this, &MeasureRow::show_progress);
  connect(&serve_, &ServeClient::finished, this, &MeasureRow::finish);
  connect(&editor_, &PolicyEditor::changed, this, &MeasureRow::follow);
  connect(&RunHistory::of(editor_), &RunHistory::measurements_changed, this, &MeasureRow::follow);
  follow();
}

void MeasureRow::measure() {
  if (measuring()) return;
  request_ = serve_.evaluate(editor_.policy());
  button_->setEnabled(false);
  bar_->setRange(0, 0);
  doing_->setText(serve_.loaded() ? tr("Measuring") : tr("Loading the model"));
  pages_->setCurrentIndex(1);
}

void MeasureRow::cancel() {
  if (measuring()) serve_.cancel(request_);
}

void MeasureRow::show_progress(int request, const ProgressEvent& event) {
  if (request != request_ || event.total <= 0) return;
  constexpr int parts = 1000;
  bar_->setRange(0, parts);
  bar_->setValue(static_cast<int>(parts * event.done / event.total));
  doing_->setText(event.eta_s < 0
                      ? tr("Measuring")
                      : tr("Measuring · %1 left").arg(QString::fromStdString(format_seconds(event.eta_s))));
}

void MeasureRow::finish(int request, const Outcome& outcome) {
  if (request != request_) return;
  request_ = 0;
  button_->setEnabled(true);
  pages_->setCurrentIndex(0);
  if (outcome.kind == Outcome::Kind::canceled) return say(tr("The measurement was canceled."), false);
  if (!outcome.done()) return say(outcome.sentence + ' ' + outcome.hint, true);
  try {
    RunHistory::of(editor_).add(read_evaluation(outcome.output).measurement);
  } catch (const Error& error) {
    say(QString::fromUtf8(error.what()) + ' ' + QString::fromStdString(error.hint()), true);
  }
}

/// What is known of the policy as it stands now.
void MeasureRow::follow() {
  const auto& all = RunHistory::of(editor_).measurements();
  const auto last = std::find_if(all.rbegin(), all.rend(), [&](const Measurement& measurement) {
    return measurement.split == QLatin1String("checking") &&
           measurement.policy.layers == editor_.policy().layers;
  });
  if (last == all.rend()) return say(tr("This policy has not been measured yet."), false);
  say(measured_sentence(*last, editor_.policy().predicted.kl), false);
}

void MeasureRow::say(const QString& sentence, bool failed) {
  found_->say(failed ? Note::Kind::wrong : Note::Kind::plain, sentence);
}

}  // namespace ladimo::ui
