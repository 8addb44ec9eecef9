#include "ui/panels/speed_panel.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>
#include <QTableView>

#include <nlohmann/json.hpp>

#include "run/bench_result.h"
#include "ui/engine/answer.h"
#include "ui/engine/serve_client.h"
#include "ui/models/command_lines.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/sentences.h"
#include "ui/models/speed_model.h"
#include "ui/panels/notice.h"
#include "ui/widgets/copy_command.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {

SpeedPanel::SpeedPanel(PolicyEditor& editor, ServeClient& serve, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      serve_(serve),
      button_(new QPushButton),
      progress_(new QProgressBar),
      notice_(new Notice),
      speeds_(new SpeedModel(this)),
      table_(new QTableView),
      words_(new Note) {
  setObjectName(QStringLiteral("speed_panel"));
  button_->setObjectName(QStringLiteral("measure_speed"));
  table_->setObjectName(QStringLiteral("speeds"));
  table_->setAccessibleName(tr("Speed of the original and the converted model"));
  table_->setModel(speeds_);
  set_table_look(*table_);
  table_->setSortingEnabled(false);
  words_->setObjectName(QStringLiteral("speed_words"));
  words_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  words_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  auto* actions = new TableActions(*table_, editor.run().name() + QStringLiteral("-speed"));
  connect(actions, &TableActions::failed, notice_, &Notice::show_error);
  connect(actions, &TableActions::saved, notice_,
          [this](const QString& path) { notice_->show_saved(tr("Saved as %1.").arg(path), path); });
  lay_out();
  words_->say(
      Note::Kind::faint,
      tr("The speed of the original and the converted model with the current policy appears here. Both are "
         "timed many times, interleaved, so that other work on this machine slows down both."));
  table_->hide();
  show_state();
  connect(button_, &QPushButton::clicked, this, &SpeedPanel::measure_or_cancel);
  connect(&serve_, &ServeClient::moved_up, this, &SpeedPanel::show_state);
  connect(&serve_, &ServeClient::progress, this, &SpeedPanel::show_progress);
  connect(&serve_, &ServeClient::finished, this, &SpeedPanel::finish);
  connect(&editor_, &PolicyEditor::changed, this, &SpeedPanel::show_words);
}

void SpeedPanel::lay_out() {
  const int space = spacing(*this);
  QSizePolicy keeps_its_room = progress_->sizePolicy();
  keeps_its_room.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(keeps_its_room);
  table_->setMaximumHeight(14 * space);  // a header and two rows
  auto* working = new QHBoxLayout;
  working->setSpacing(space);
  working->addWidget(button_);
  working->addWidget(progress_, 1);
  working->addWidget(notice_, 3);
  working->addWidget(new CopyCommand([this] {
    const QStringList bench{QStringLiteral("bench"), editor_.run().folder};
    return command_under(editor_, editor_.policy(), bench + serve_.original_option());
  }));
  auto* page = new QVBoxLayout(this);
  page->setContentsMargins(2 * space, 2 * space, 2 * space, space);
  page->setSpacing(space);
  page->addLayout(working);
  page->addWidget(table_);
  page->addWidget(words_);
  page->addStretch(1);
}

void SpeedPanel::measure_or_cancel() {
  if (request_ != 0) return serve_.cancel(request_);
  progress_->setRange(0, 0);
  asked_ = editor_.policy();
  request_ = serve_.bench(asked_);
  show_state();
}

void SpeedPanel::show_state() {
  const bool working = request_ != 0;
  button_->setText(working ? tr("&Cancel") : tr("Measure &speed"));
  button_->setToolTip(working ? tr("Stops the timing without keeping it")
                              : tr("Times decoding and prompt processing with the current policy"));
  progress_->setVisible(working);
  if (!working) return;
  const QString waits = serve_.waits_for(request_);
  notice_->say(waits.isEmpty() ? tr("Timing both models…") : waits);
}

void SpeedPanel::show_progress(int request, const ProgressEvent& event) {
  if (request != request_ || event.total <= 0) return;
  constexpr int thousandths = 1000;
  progress_->setRange(0, thousandths);
  progress_->setValue(static_cast<int>(thousandths * event.done / event.total));
  if (event.eta_s >= 0)
    notice_->say(tr("Timing both models · about %1 left").arg(whole_seconds(event.eta_s)));
}

void SpeedPanel::finish(int request, const Outcome& outcome) {
  if (request != request_) return;
  request_ = 0;
  notice_->clear();
  show_state();
  if (outcome.kind == Outcome::Kind::canceled) return notice_->say(tr("Cancelled. Nothing was timed."));
  if (!outcome.done()) return notice_->show_error(complaint(outcome));
  try {
    show_result(outcome);
    if (!outcome.warning.isEmpty()) notice_->say(outcome.warning);
  } catch (const Refusal& refusal) {
    notice_->show_error(complaint(refusal.problem()));
  }
}

void SpeedPanel::show_result(const Outcome& outcome) {
  const BenchResult result = bench_result_from_json(parse_answer(outcome.output));
  speeds_->set_result(result);
  table_->show();
  fit_columns(*table_);
  timed_ = asked_;
  said_ = speed_in_words(result);
  show_words();
}

/// Says so where the times are not those of the current policy.
void SpeedPanel::show_words() {
  if (!timed_) return;
  const bool current = same_choice(*timed_, editor_.policy());
  words_->say(Note::Kind::plain, current ? said_ : tr("Not measured with the current policy. %1").arg(said_));
}

}  // namespace ladimo::ui
