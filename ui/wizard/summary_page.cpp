#include "ui/wizard/summary_page.h"

#include <algorithm>

#include <QEvent>
#include <QFileDialog>
#include <QFontDatabase>
#include <QHeaderView>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/engine/lexicon.h"
#include "ui/models/command_lines.h"
#include "ui/models/numbers.h"
#include "ui/widgets/copy_command.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"
#include "ui/wizard/conversion_arguments.h"
#include "ui/wizard/step_list_model.h"
#include "ui/wizard/summary_page_config.h"

namespace ladimo::ui {
namespace {

constexpr int still_ms = 500;

std::vector<StepState> states_of(const std::vector<PlanStep>& steps) {
  std::vector<StepState> states;
  for (const PlanStep& step : steps)
    states.push_back({step, step.done ? StepState::Status::done : StepState::Status::waiting, 0});
  return states;
}

}  // namespace

SummaryPage::SummaryPage(SummaryPageConfig& config, QWidget* parent)
    : WizardPage(parent),
      config_(config),
      folder_(new QLineEdit),
      steps_(new StepListModel(true, this)),
      table_(new QTableView),
      totals_(new Note(Note::Kind::plain)),
      command_(new QPlainTextEdit),
      reason_(new Note) {
  setObjectName(QStringLiteral("summary_page"));
  setTitle(tr("Review"));

  folder_->setObjectName(QStringLiteral("run_folder"));
  folder_->setAccessibleName(tr("Run folder"));
  folder_->setToolTip(tr("A new folder for converted layers, tables and policies"));
  auto* browse_button = new QPushButton(tr("C&hoose…"));
  browse_button->setToolTip(tr("Choose another run folder"));
  browse_button->setVisible(!config.engine().remote());
  auto* where = new QLabel(label_of(Setting::run));
  where->setBuddy(folder_);
  auto* row = new QHBoxLayout;
  row->addWidget(where);
  row->addWidget(folder_, 1);
  row->addWidget(browse_button);

  table_->setObjectName(QStringLiteral("plan_steps"));
  table_->setAccessibleName(tr("Steps of the plan"));
  table_->setModel(steps_);
  set_table_look(*table_);
  table_->setSortingEnabled(false);
  table_->setWordWrap(true);
  connect(new TableActions(*table_, QStringLiteral("plan")), &TableActions::failed, reason_,
          [this](const QString& sentence) { reason_->say(Note::Kind::wrong, sentence); });
  table_->setSelectionMode(QAbstractItemView::NoSelection);
  table_->verticalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
  table_->horizontalHeader()->setSectionResizeMode(StepListModel::name, QHeaderView::Stretch);

  command_->setObjectName(QStringLiteral("command_line"));
  command_->setReadOnly(true);
  command_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  command_->setAccessibleName(tr("Equivalent command"));
  command_->setFixedHeight(5 * command_->fontMetrics().lineSpacing());
  auto* copy = new CopyCommand([this] { return command_->toPlainText(); });
  auto* command_row = new QHBoxLayout;
  command_row->addWidget(command_, 1);
  command_row->addWidget(copy, 0, Qt::AlignTop);

  auto* layout = new QVBoxLayout(this);
  layout->setSpacing(spacing(*this));
  layout->addLayout(row);
  layout->addWidget(reason_);
  layout->addWidget(table_, 1);
  layout->addWidget(totals_);
  layout->addLayout(command_row);

  still_.setSingleShot(true);
  still_.setInterval(still_ms);
  connect(&still_, &QTimer::timeout, &config, &SummaryPageConfig::make_plan);
  connect(browse_button, &QPushButton::clicked, this, &SummaryPage::browse);
  connect(folder_, &QLineEdit::textEdited, this, [this](const QString& folder) {
    config_.set_run_folder(folder.trimmed());
    still_.start();
  });
  // The field ends its editing when the wizard is destroyed, too, and then the config is gone before it.
  connect(folder_, &QLineEdit::editingFinished, &config, [this] { folder_->setText(config_.run_folder()); });
  connect(&config, &PageConfig::changed, this, &SummaryPage::show_config);
  show_config();
}

bool SummaryPage::isComplete() const { return config_.is_ready(); }

void SummaryPage::browse() {
  const QString folder = QFileDialog::getSaveFileName(this, tr("Run folder"), config_.run_folder(), {},
                                                      nullptr, QFileDialog::ShowDirsOnly);
  if (folder.isEmpty()) return;
  config_.set_run_folder(folder);
  folder_->setText(config_.run_folder());
  config_.make_plan();
}

/// Says what the folder holds already, and what the button does about it.
void SummaryPage::show_beginning() {
  const auto& plan = config_.plan();
  if (!plan || !plan->resumes) {
    setSubTitle(
        tr("Nothing has been written yet. You can pause the conversion at any time; it continues from the "
           "last finished layer."));
    setButtonText(QWizard::NextButton, tr("&Start converting"));
  } else if (std::ranges::all_of(plan->steps, &PlanStep::done)) {
    setSubTitle(
        tr("This folder contains this run, already finished. To convert again, choose another folder."));
    setButtonText(QWizard::NextButton, tr("&Go on to the run"));
  } else {
    setSubTitle(
        tr("This folder contains this run, and it is not finished. The conversion continues from there and "
           "can be paused at any time."));
    setButtonText(QWizard::NextButton, tr("&Continue converting"));
  }
}

void SummaryPage::show_config() {
  show_beginning();
  // Do not replace what is being typed: ~ would become the home folder at once.
  if (!folder_->isModified() && folder_->text() != config_.run_folder())
    folder_->setText(config_.run_folder());
  const auto& plan = config_.plan();
  steps_->set_theme(theme_of(palette()));
  steps_->set_steps(plan ? states_of(plan->steps) : std::vector<StepState>());
  totals_->setText(
      plan && plan->problems.empty()
          ? tr("Total: about %1, %2 of memory and %3 of disk; %4 calibration tokens in %5 windows.")
                .arg(duration_text(plan->seconds), bytes_text(static_cast<double>(plan->ram_bytes)),
                     bytes_text(static_cast<double>(plan->disk_bytes)), grouped(plan->tokens),
                     grouped(plan->windows))
          : QString());
  command_->setPlainText(command_line(config_.arguments(QStringLiteral("convert"))));
  reason_->say(config_.problems().isEmpty() ? Note::Kind::faint : Note::Kind::wrong, config_.reason());
  tell_complete();
}

void SummaryPage::changeEvent(QEvent* event) {
  WizardPage::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) steps_->set_theme(theme_of(palette()));
}

}  // namespace ladimo::ui
