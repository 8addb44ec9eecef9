#include "ui/wizard/model_page.h"

#include <QDropEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMimeData>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/engine/lexicon.h"
#include "ui/settings/settings.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"
#include "ui/wizard/hub_menu.h"
#include "ui/wizard/model_page_config.h"

namespace ladimo::ui {

ModelPage::ModelPage(ModelPageConfig& config, QWidget* parent)
    : WizardPage(parent),
      config_(config),
      model_(new QLineEdit),
      summary_(new Note(Note::Kind::plain)),
      list_(new QListView),
      reason_(new Note),
      checks_(new CheckListModel(this)) {
  setObjectName(QStringLiteral("model_page"));
  setTitle(tr("Choose a model"));
  setSubTitle(
      tr("A dense LLaMA-family model: a folder with config.json, safetensors and tokenizer, or a GGUF file. "
         "It will not be changed."));
  setAcceptDrops(true);

  summary_->setObjectName(QStringLiteral("model_summary"));
  summary_->setMinimumHeight(4 * summary_->fontMetrics().lineSpacing());
  summary_->setAlignment(Qt::AlignTop);
  list_->setObjectName(QStringLiteral("preflight"));
  list_->setAccessibleName(tr("Checks"));
  list_->setModel(checks_);
  connect(new TableActions(*list_, QStringLiteral("checks")), &TableActions::failed, reason_,
          &QLabel::setText);
  list_->setSelectionMode(QAbstractItemView::NoSelection);
  list_->setWordWrap(true);
  list_->setResizeMode(QListView::Adjust);
  list_->setSpacing(spacing(*this) / 3);

  auto* layout = new QVBoxLayout(this);
  layout->setSpacing(spacing(*this));
  layout->addLayout(make_chooser());
  layout->addWidget(summary_);
  layout->addWidget(list_, 1);
  layout->addWidget(reason_);

  connect(&config, &PageConfig::changed, this, &ModelPage::show_config);
  show_config();
}

/// The line with the path or name, and what can be chosen from.
QLayout* ModelPage::make_chooser() {
  const Engine& engine = config_.engine();
  model_->setObjectName(QStringLiteral("model_folder"));
  model_->setPlaceholderText(engine.remote()
                                 ? tr("Folder, GGUF file or ORG/NAME from the Hub, on %1").arg(engine.host)
                                 : tr("Choose a model, or drop a folder or GGUF file here"));
  model_->setAccessibleName(label_of(Setting::model));
  model_->setToolTip(tr("A model folder, a GGUF file, or ORG/NAME of a model downloaded from the Hub"));
  connect(model_, &QLineEdit::editingFinished, this, [this] { choose(model_->text().trimmed()); });
  auto* row = new QHBoxLayout;
  row->addWidget(model_, 1);
  if (engine.remote()) return row;
  auto* places = new QMenu(this);
  places->setObjectName(QStringLiteral("model_places"));
  connect(places->addAction(tr("&Folder…")), &QAction::triggered, this, &ModelPage::browse_folders);
  connect(places->addAction(tr("&GGUF file…")), &QAction::triggered, this, &ModelPage::browse_files);
  auto* browse_button = new QPushButton(tr("&Choose…"));
  browse_button->setToolTip(tr("Choose the model folder or GGUF file"));
  browse_button->setMenu(places);
  auto* cached = new HubMenu(this);
  connect(cached, &HubMenu::chosen, this, &ModelPage::choose);
  auto* hub_button = new QPushButton(tr("From the &Hub"));
  hub_button->setToolTip(tr("Choose a model downloaded from the Hugging Face Hub to this machine"));
  hub_button->setMenu(cached);
  row->addWidget(browse_button);
  row->addWidget(hub_button);
  return row;
}

bool ModelPage::isComplete() const { return config_.is_ready(); }

void ModelPage::browse_folders() {
  const QString chosen =
      QFileDialog::getExistingDirectory(this, label_of(Setting::model), remembered(keys::last_folder));
  if (chosen.isEmpty()) return;
  remember(keys::last_folder, chosen);
  choose(chosen);
}

void ModelPage::browse_files() {
  const QString chosen = QFileDialog::getOpenFileName(
      this, label_of(Setting::model), remembered(keys::last_folder), tr("GGUF (*.gguf);;All files (*)"));
  if (chosen.isEmpty()) return;
  remember(keys::last_folder, QFileInfo(chosen).path());
  choose(chosen);
}

void ModelPage::choose(const QString& model) {
  config_.set_model(model);
  model_->setText(config_.model());  // a file may stand for its folder
}

void ModelPage::show_config() {
  // Do not replace what a person is typing, even while another model is still being read.
  if (!model_->isModified() && model_->text() != config_.model()) model_->setText(config_.model());
  const auto& facts = config_.facts();
  summary_->setText(facts && facts->described() ? model_in_words(*facts) : QString());
  checks_->set_theme(theme_of(palette()));
  checks_->set_checks(config_.checks());
  reason_->setText(config_.reason());
  tell_complete();
}

void ModelPage::changeEvent(QEvent* event) {
  WizardPage::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) checks_->set_theme(theme_of(palette()));
}

void ModelPage::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() && event->mimeData()->urls().first().isLocalFile() &&
      !config_.engine().remote())
    event->acceptProposedAction();
}

void ModelPage::dropEvent(QDropEvent* event) { choose(event->mimeData()->urls().first().toLocalFile()); }

}  // namespace ladimo::ui
