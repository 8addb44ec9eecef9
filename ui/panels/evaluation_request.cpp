#include "ui/panels/evaluation_request.h"

#include <QComboBox>
#include <QDropEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QGridLayout>
#include <QLabel>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>

#include "ui/engine/lexicon.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

constexpr int most_tokens = 1'000'000'000;
constexpr QChar separator = ';';
enum Choice { current, all_dense, first_saved };

QStringList local_files(const QMimeData& data) {
  QStringList files;
  for (const QUrl& url : data.urls())
    if (url.isLocalFile() && QFileInfo(url.toLocalFile()).isFile()) files << url.toLocalFile();
  return files;
}

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

}  // namespace

EvaluationRequestForm::EvaluationRequestForm(PolicyEditor& editor, const Engine& engine, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      remote_(engine.remote()),
      held_out_(new QRadioButton(tr("&Held-out text of the run"))),
      own_(new QRadioButton(tr("&Files:"))),
      files_(new QLineEdit),
      choose_(new QPushButton(tr("&Choose…"))),
      tokens_(new QSpinBox),
      policy_(new QComboBox) {
  setAcceptDrops(!remote_);
  lay_out();
  list_policies();
  connect(choose_, &QPushButton::clicked, this, &EvaluationRequestForm::choose_files);
  connect(own_, &QRadioButton::toggled, this, &EvaluationRequestForm::changed);
  connect(files_, &QLineEdit::textEdited, own_, [this] { own_->setChecked(true); });
  connect(files_, &QLineEdit::textChanged, this, &EvaluationRequestForm::changed);
  connect(&RunHistory::of(editor_), &RunHistory::policies_changed, this,
          &EvaluationRequestForm::list_policies);
}

void EvaluationRequestForm::lay_out() {
  held_out_->setChecked(true);
  held_out_->setObjectName(QStringLiteral("held_out"));
  held_out_->setToolTip(tr("The second held-out split: neither calibrated on nor used for the predictions"));
  own_->setObjectName(QStringLiteral("own_text"));
  files_->setObjectName(QStringLiteral("files"));
  files_->setAccessibleName(tr("Text files"));
  files_->setPlaceholderText(remote_ ? tr("paths on the engine's machine, separated by ;")
                                     : tr("drop text or JSON files here, or choose them"));
  own_->setToolTip(
      tr("Plain text or JSON lines that the run was not calibrated on. Tokens are taken equally "
         "from each; every file gets numbers of its own."));
  files_->setToolTip(own_->toolTip());
  if (remote_) choose_->hide();
  choose_->setToolTip(tr("Choose text files"));
  tokens_->setObjectName(QStringLiteral("tokens"));
  tokens_->setRange(0, most_tokens);
  tokens_->setSingleStep(1000);
  tokens_->setGroupSeparatorShown(true);
  tokens_->setSpecialValueText(tr("all there are"));
  tokens_->setToolTip(tr("More tokens take longer and measure more exactly"));
  policy_->setObjectName(QStringLiteral("policy"));
  policy_->setToolTip(tr("Which policy is measured against the dense original"));

  const int space = spacing(*this);
  auto* policy_label = new QLabel(label_of(Setting::policy));
  policy_label->setBuddy(policy_);
  auto* tokens_label = new QLabel(tr("&Tokens"));
  tokens_label->setBuddy(tokens_);
  auto* grid = new QGridLayout(this);
  grid->setContentsMargins({});
  grid->setSpacing(space);
  grid->addWidget(held_out_, 0, 0, 1, 3);
  grid->addWidget(own_, 1, 0);
  grid->addWidget(files_, 1, 1);
  grid->addWidget(choose_, 1, 2);
  grid->addWidget(policy_label, 0, 3);
  grid->addWidget(policy_, 0, 4);
  grid->addWidget(tokens_label, 1, 3);
  grid->addWidget(tokens_, 1, 4);
  grid->setColumnStretch(1, 1);
  grid->setColumnMinimumWidth(3, 8 * space);
}

void EvaluationRequestForm::list_policies() {
  const QString chosen = policy_->currentText();
  policy_->clear();
  policy_->addItem(tr("As chosen now"));
  policy_->addItem(tr("Every layer dense"));
  for (const auto& [name, policy] : RunHistory::of(editor_).policies()) policy_->addItem(name);
  policy_->setCurrentIndex(std::max(policy_->findText(chosen), 0));
}

QStringList EvaluationRequestForm::text() const {
  QStringList files;
  if (held_out_->isChecked()) return files;
  for (const QString& file : files_->text().split(separator, Qt::SkipEmptyParts)) files << file.trimmed();
  files.removeAll(QString());
  return files;
}

qint64 EvaluationRequestForm::tokens() const { return tokens_->value(); }

Policy EvaluationRequestForm::policy() const {
  if (policy_->currentIndex() == current) return editor_.policy();
  if (policy_->currentIndex() == all_dense) return dense_policy(editor_);
  return RunHistory::of(editor_).policies().at(policy_->currentText());
}

QString EvaluationRequestForm::why_not() const {
  if (held_out_->isChecked()) return {};
  const QStringList files = text();
  if (files.isEmpty()) return tr("Choose the text files to measure on.");
  if (remote_) return {};  // the files are on the engine's machine
  for (const QString& file : files)
    if (!QFileInfo(file).isFile()) return tr("There is no file %1.").arg(file);
  return {};
}

void EvaluationRequestForm::choose_files() {
  set_files(QFileDialog::getOpenFileNames(
      this, tr("Text to measure on"), {},
      tr("Text (*.txt *.jsonl *.ndjson *.json)") + QStringLiteral(";;") + tr("All files (*)")));
}

void EvaluationRequestForm::set_files(const QStringList& files) {
  if (files.isEmpty()) return;
  files_->setText(files.join(QStringLiteral("; ")));
  own_->setChecked(true);
}

void EvaluationRequestForm::dragEnterEvent(QDragEnterEvent* event) {
  if (!local_files(*event->mimeData()).isEmpty()) event->acceptProposedAction();
}

void EvaluationRequestForm::dropEvent(QDropEvent* event) { set_files(local_files(*event->mimeData())); }

}  // namespace ladimo::ui
