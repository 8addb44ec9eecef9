#include "ui/panels/evaluation_request.h"

#include <algorithm>

#include <QComboBox>
#include <QDropEvent>
#include <QGridLayout>
#include <QLabel>
#include <QRadioButton>
#include <QSpinBox>

#include "ui/engine/lexicon.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/panels/file_field.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int most_tokens = 1'000'000'000;
enum Choice { current, all_dense, first_saved };

/// The policy with every layer dense, which checks the measurement itself.
Policy dense_policy(const PolicyEditor& editor) {
  Policy policy = editor.policy();
  policy.tradeoff = 0;
  policy.measured.reset();
  policy.layers.assign(policy.layers.size(), LayerPolicy::dense());
  const auto& latency = editor.run().latency;
  policy.predicted = predict(*editor.run().tradeoff, latency ? &*latency : nullptr, policy.layers);
  return policy;
}

FileField::Words words_of_text() {
  return {EvaluationRequestForm::tr("Text files"),
          EvaluationRequestForm::tr("Drop text or JSON files here, or choose them"),
          EvaluationRequestForm::tr("Plain text or JSON Lines that the run was not calibrated on. Each file "
                                    "gives the same number of tokens and gets its own numbers."),
          EvaluationRequestForm::tr("Text to measure on"),
          EvaluationRequestForm::tr("Text (*.txt *.jsonl *.ndjson *.json)")};
}

FileField::Words words_of_tasks() {
  return {EvaluationRequestForm::tr("Task files"),
          EvaluationRequestForm::tr("Drop files of multiple-choice questions here, or choose them"),
          EvaluationRequestForm::tr("JSON Lines, one question per line:\n%1\nBoth models answer the same "
                                    "questions. Each file is one task.")
              .arg(QStringLiteral(R"({"context": "The opposite of hot is", "choices": ["cold", "warm"], )"
                                  R"("label": 0})")),
          EvaluationRequestForm::tr("Tasks to answer"),
          EvaluationRequestForm::tr("Questions (*.jsonl *.ndjson *.json)")};
}

}  // namespace

EvaluationRequestForm::EvaluationRequestForm(PolicyEditor& editor, const Engine& engine, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      held_out_(new QRadioButton(tr("&Held-out text of the run"))),
      no_text_(new QRadioButton(tr("&No text, tasks only"))),
      own_(new QRadioButton(tr("&Files:"))),
      files_(new FileField(QStringLiteral("files"), words_of_text(), engine.remote())),
      tasks_(new FileField(QStringLiteral("tasks"), words_of_tasks(), engine.remote())),
      tokens_(new QSpinBox),
      policy_(new QComboBox) {
  setAcceptDrops(!engine.remote());
  lay_out();
  list_policies();
  for (const QRadioButton* choice : {held_out_, no_text_, own_})
    connect(choice, &QRadioButton::toggled, this, &EvaluationRequestForm::changed);
  for (const FileField* field : {files_, tasks_})
    connect(field, &FileField::changed, this, &EvaluationRequestForm::changed);
  connect(files_, &FileField::edited, own_, [this] { own_->setChecked(true); });
  connect(no_text_, &QRadioButton::toggled, tokens_, &QSpinBox::setDisabled);
  connect(&RunHistory::of(editor_), &RunHistory::policies_changed, this,
          &EvaluationRequestForm::list_policies);
}

void EvaluationRequestForm::lay_out() {
  held_out_->setChecked(true);
  held_out_->setObjectName(QStringLiteral("held_out"));
  held_out_->setToolTip(
      tr("The second held-out split: used neither for calibration nor for the predictions"));
  no_text_->setObjectName(QStringLiteral("no_text"));
  no_text_->setToolTip(tr("Answers the questions below, without measuring KL or perplexity"));
  own_->setObjectName(QStringLiteral("own_text"));
  own_->setToolTip(words_of_text().tip);
  tokens_->setObjectName(QStringLiteral("tokens"));
  tokens_->setRange(0, most_tokens);
  tokens_->setSingleStep(1000);
  tokens_->setGroupSeparatorShown(true);
  tokens_->setSpecialValueText(tr("All"));
  tokens_->setToolTip(tr("More tokens take longer but measure more precisely"));
  policy_->setObjectName(QStringLiteral("policy"));
  policy_->setToolTip(tr("The policy to compare with the original"));

  const int space = spacing(*this);
  auto* policy_label = new QLabel(label_of(Setting::policy));
  policy_label->setBuddy(policy_);
  auto* tokens_label = new QLabel(tr("&Tokens"));
  tokens_label->setBuddy(tokens_);
  auto* tasks_label = new QLabel(tr("Tas&ks:"));
  tasks_label->setBuddy(tasks_->line());
  tasks_label->setToolTip(words_of_tasks().tip);
  auto* texts = new QHBoxLayout;
  texts->setSpacing(4 * space);
  texts->addWidget(held_out_);
  texts->addWidget(no_text_);
  texts->addStretch(1);
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins({});
  grid->setSpacing(space);
  grid->addLayout(texts, 0, 0, 1, 2);
  grid->addWidget(own_, 1, 0);
  grid->addWidget(files_, 1, 1);
  grid->addWidget(tasks_label, 2, 0);
  grid->addWidget(tasks_, 2, 1, 1, 3);
  grid->addWidget(policy_label, 0, 2);
  grid->addWidget(policy_, 0, 3);
  grid->addWidget(tokens_label, 1, 2);
  grid->addWidget(tokens_, 1, 3);
  grid->setColumnStretch(1, 1);
  grid->setColumnMinimumWidth(2, 8 * space);
}

void EvaluationRequestForm::list_policies() {
  const QString chosen = policy_->currentText();
  policy_->clear();
  policy_->addItem(tr("Current policy"));
  policy_->addItem(tr("Every layer dense"));
  for (const auto& [name, policy] : RunHistory::of(editor_).policies()) policy_->addItem(name);
  policy_->setCurrentIndex(std::max(policy_->findText(chosen), 0));
}

ServeClient::Measuring EvaluationRequestForm::request() const {
  const bool no_text = no_text_->isChecked();
  return {policy(), own_->isChecked() ? files_->files() : QStringList(), no_text ? 0 : tokens_->value(),
          tasks_->files(), no_text};
}

Policy EvaluationRequestForm::policy() const {
  if (policy_->currentIndex() == current) return editor_.policy();
  if (policy_->currentIndex() == all_dense) return dense_policy(editor_);
  return RunHistory::of(editor_).policies().at(policy_->currentText());
}

QString EvaluationRequestForm::why_not() const {
  if (own_->isChecked() && files_->files().isEmpty()) return tr("Choose the text files to measure on.");
  if (no_text_->isChecked() && tasks_->files().isEmpty())
    return tr("Choose task files, or a text to measure on.");
  QString missing = own_->isChecked() ? files_->missing() : QString();
  if (missing.isEmpty()) missing = tasks_->missing();
  return missing.isEmpty() ? QString() : tr("%1 does not exist.").arg(missing);
}

void EvaluationRequestForm::dragEnterEvent(QDragEnterEvent* event) {
  if (!local_files(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

/// Files are tasks where they are dropped onto that row, and else text.
void EvaluationRequestForm::dropEvent(QDropEvent* event) {
  FileField* field = event->position().y() >= tasks_->y() ? tasks_ : files_;
  field->set_files(local_files(*event->mimeData()));
}

}  // namespace ladimo::ui
