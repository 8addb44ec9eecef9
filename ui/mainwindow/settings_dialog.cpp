#include "ui/mainwindow/settings_dialog.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRadioButton>
#include <QVBoxLayout>

#include "ui/engine/line_process.h"
#include "ui/settings/settings.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {

SettingsDialog::SettingsDialog(QWidget* parent)
    : QDialog(parent),
      here_(new QRadioButton(tr("&This machine"))),
      there_(new QRadioButton(tr("&Another machine, over ssh"))),
      host_(new QLineEdit(remembered(keys::engine_host))),
      program_(new QLineEdit(remembered(keys::remote_program))),
      test_(new QPushButton(tr("Test the &connection"))),
      answer_(new QLabel) {
  const int space = spacing(*this);
  setWindowTitle(tr("Settings"));
  setObjectName(QStringLiteral("settings"));
  host_->setPlaceholderText(tr("name, or user@name"));
  host_->setToolTip(tr("As you would type it after ssh. Login must work without a password."));
  program_->setToolTip(tr("The ladimo program on that machine: its name or full path."));
  answer_->setWordWrap(true);
  answer_->setTextFormat(Qt::PlainText);
  answer_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  answer_->setAlignment(Qt::AlignTop);
  answer_->setMinimumHeight(6 * space);  // the layout must not jump when the answer arrives
  answer_->setMinimumWidth(50 * space);

  auto* fields = new QFormLayout;
  fields->setContentsMargins(3 * space, 0, 0, 0);
  fields->addRow(tr("&Host:"), host_);
  fields->addRow(tr("&Program:"), program_);
  fields->addRow(QString(), test_);
  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Ok | QDialogButtonBox::Cancel);
  ok_ = buttons->button(QDialogButtonBox::Ok);
  auto* heading = new QLabel(tr("Where the engine runs"));
  QFont bold = font();
  bold.setBold(true);
  heading->setFont(bold);
  auto* content = new QVBoxLayout(this);
  content->setSpacing(space);
  content->addWidget(heading);
  content->addWidget(new QLabel(tr("Models, texts and runs are on that machine.")));
  content->addWidget(here_);
  content->addWidget(there_);
  content->addLayout(fields);
  content->addWidget(answer_);
  content->addStretch();
  content->addWidget(buttons);

  (host_->text().isEmpty() ? here_ : there_)->setChecked(true);
  connect(buttons, &QDialogButtonBox::accepted, this, &SettingsDialog::accept);
  connect(buttons, &QDialogButtonBox::rejected, this, &SettingsDialog::reject);
  connect(there_, &QRadioButton::toggled, this, &SettingsDialog::follow_choice);
  connect(host_, &QLineEdit::textChanged, this, &SettingsDialog::follow_choice);
  connect(program_, &QLineEdit::textChanged, this, &SettingsDialog::follow_choice);
  connect(test_, &QPushButton::clicked, this, &SettingsDialog::test);
  follow_choice();
}

SettingsDialog::~SettingsDialog() = default;

Engine SettingsDialog::entered() const {
  if (here_->isChecked()) return Engine::beside_studio();
  return {program_->text().trimmed(), host_->text().trimmed()};
}

void SettingsDialog::follow_choice() {
  const Engine engine = entered();
  const bool complete = here_->isChecked() || (!engine.host.isEmpty() && !engine.program.isEmpty());
  host_->setEnabled(there_->isChecked());
  program_->setEnabled(there_->isChecked());
  test_->setEnabled(complete);
  ok_->setEnabled(complete);
  job_.reset();
  answer_->setText(complete ? QString() : tr("Enter the host and the program."));
}

void SettingsDialog::test() {
  answer_->setText(tr("Waiting for an answer…"));
  job_ = std::make_unique<LineProcess>(entered());
  connect(job_.get(), &LineProcess::ended, this, [this](const Ending& ending) {
    const Outcome outcome = outcome_of(ending, {}, {});
    answer_->setText(outcome.done() ? tr("It works: %1.").arg(ending.last_words)
                                    : outcome.sentence + '\n' + outcome.hint);
  });
  job_->start({QStringLiteral("--version")});
}

void SettingsDialog::accept() {
  const Engine engine = entered();
  remember(keys::engine_host, engine.host);
  if (engine.remote()) remember(keys::remote_program, engine.program);
  QDialog::accept();
}

}  // namespace ladimo::ui
