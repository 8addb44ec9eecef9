#include "ui/wizard/model_page.h"

#include <QDropEvent>
#include <QFileDialog>
#include <QLineEdit>
#include <QListView>
#include <QMimeData>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/engine/lexicon.h"
#include "ui/settings/settings.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"
#include "ui/wizard/model_page_config.h"

namespace ladimo::ui {

ModelPage::ModelPage(ModelPageConfig& config, QWidget* parent)
    : WizardPage(parent),
      config_(config),
      folder_(new QLineEdit),
      summary_(new Note(Note::Kind::plain)),
      list_(new QListView),
      reason_(new Note),
      checks_(new CheckListModel(this)) {
  setObjectName(QStringLiteral("model_page"));
  setTitle(tr("Which model should be converted?"));
  setSubTitle(
      tr("A folder with a dense LLaMA-family checkpoint: config.json, safetensors and its tokenizer. "
         "Nothing in it will be changed."));
  setAcceptDrops(true);

  folder_->setObjectName(QStringLiteral("model_folder"));
  folder_->setPlaceholderText(config.engine().remote() ? tr("Folder on %1").arg(config.engine().host)
                                                       : tr("Choose a folder, or drop one onto this page"));
  folder_->setAccessibleName(label_of(Setting::model));
  folder_->setToolTip(tr("The folder of the dense checkpoint"));
  auto* browse_button = new QPushButton(tr("&Choose…"));
  browse_button->setToolTip(tr("Choose the folder of the checkpoint"));
  browse_button->setVisible(!config.engine().remote());
  auto* row = new QHBoxLayout;
  row->addWidget(folder_, 1);
  row->addWidget(browse_button);

  summary_->setObjectName(QStringLiteral("model_summary"));
  summary_->setMinimumHeight(3 * summary_->fontMetrics().lineSpacing());
  summary_->setAlignment(Qt::AlignTop);
  list_->setObjectName(QStringLiteral("preflight"));
  list_->setAccessibleName(tr("What was checked"));
  list_->setModel(checks_);
  connect(new TableActions(*list_, QStringLiteral("checks")), &TableActions::failed, reason_,
          &QLabel::setText);
  list_->setSelectionMode(QAbstractItemView::NoSelection);
  list_->setWordWrap(true);
  list_->setResizeMode(QListView::Adjust);
  list_->setSpacing(spacing(*this) / 3);

  auto* layout = new QVBoxLayout(this);
  layout->setSpacing(spacing(*this));
  layout->addLayout(row);
  layout->addWidget(summary_);
  layout->addWidget(list_, 1);
  layout->addWidget(reason_);

  connect(browse_button, &QPushButton::clicked, this, &ModelPage::browse);
  connect(folder_, &QLineEdit::editingFinished, this, [this] { choose(folder_->text().trimmed()); });
  connect(&config, &PageConfig::changed, this, &ModelPage::show_config);
  show_config();
}

bool ModelPage::isComplete() const { return config_.is_ready(); }

void ModelPage::browse() {
  const QString chosen =
      QFileDialog::getExistingDirectory(this, label_of(Setting::model), remembered(keys::last_folder));
  if (chosen.isEmpty()) return;
  remember(keys::last_folder, chosen);
  choose(chosen);
}

void ModelPage::choose(const QString& folder) {
  config_.set_folder(folder);
  folder_->setText(config_.folder());  // a file stands for its folder
}

void ModelPage::show_config() {
  // Do not replace what a person is typing, even while another model is still being read.
  if (!folder_->isModified() && folder_->text() != config_.folder()) folder_->setText(config_.folder());
  const auto& facts = config_.facts();
  summary_->setText(facts && facts->described() ? model_in_words(facts->config) : QString());
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
