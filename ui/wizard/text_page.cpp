#include "ui/wizard/text_page.h"

#include <algorithm>
#include <limits>

#include <QDropEvent>
#include <QFileDialog>
#include <QHeaderView>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>
#include <QRadioButton>
#include <QSpinBox>
#include <QSplitter>
#include <QTableView>
#include <QVBoxLayout>

#include "ui/engine/lexicon.h"
#include "ui/models/numbers.h"
#include "ui/settings/settings.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"
#include "ui/wizard/knob.h"
#include "ui/wizard/text_file_model.h"
#include "ui/wizard/window_view.h"

namespace ladimo::ui {

TextPage::TextPage(TextPageConfig& config, QWidget* parent)
    : WizardPage(parent),
      config_(config),
      from_files_(new QRadioButton(label_of(Setting::text))),
      own_(new QRadioButton(label_of(Setting::self_text))),
      fewer_(new QPushButton),
      reason_(new Note) {
  setObjectName(QStringLiteral("text_page"));
  fewer_->setObjectName(QStringLiteral("text_fewer"));
  fewer_->setToolTip(tr("As many tokens as the files hold"));
  setTitle(tr("Choose the calibration text"));
  setSubTitle(
      tr("Every layer is distilled on calibration tokens. Held-out tokens from other documents measure the "
         "accuracy lost. Text like that of your users gives the best result."));
  setAcceptDrops(true);
  from_files_->setObjectName(QStringLiteral("text_from_files"));
  from_files_->setToolTip(
      tr("Plain text (documents end at a blank line), or JSON Lines or a JSON list with the key text, or "
         "messages for conversations"));
  own_->setObjectName(QStringLiteral("text_own"));

  auto* columns = new QSplitter;
  columns->addWidget(make_files());
  columns->addWidget(make_look());
  columns->setChildrenCollapsible(false);
  columns->setStretchFactor(0, 1);
  columns->setStretchFactor(1, 1);
  auto* choice = new QHBoxLayout;
  choice->addWidget(from_files_);
  choice->addWidget(own_);
  choice->addStretch();
  auto* layout = new QVBoxLayout(this);
  layout->setSpacing(spacing(*this));
  layout->addLayout(choice);
  layout->addWidget(columns, 1);
  layout->addLayout(make_counts());
  auto* bottom = new QHBoxLayout;
  bottom->addWidget(reason_, 1);
  bottom->addWidget(fewer_, 0, Qt::AlignTop);
  layout->addLayout(bottom);
  reason_->setMinimumHeight(2 * reason_->fontMetrics().lineSpacing());
  columns->setHandleWidth(2 * spacing(*this));
  connect(fewer_, &QPushButton::clicked, this, [this] {
    if (const auto fewer = config_.fewer()) emit counts_wanted(*fewer);
  });

  connect(own_, &QRadioButton::toggled, this, [this](bool own) { config_.set_self_text(own); });
  connect(&config, &PageConfig::changed, this, &TextPage::show_config);
  show_config();
}

QWidget* TextPage::make_files() {
  table_ = new QTableView;
  table_->setObjectName(QStringLiteral("text_files"));
  table_->setAccessibleName(tr("Calibration files"));
  table_->setModel(new TextFileModel(config_, this));
  set_table_look(*table_);
  table_->setSortingEnabled(false);
  table_->horizontalHeader()->setSectionResizeMode(TextFileModel::file, QHeaderView::Stretch);
  connect(new TableActions(*table_, QStringLiteral("text-files")), &TableActions::failed, reason_,
          [this](const QString& sentence) { reason_->say(Note::Kind::wrong, sentence); });
  no_files_ = new Note(Note::Kind::faint, config_.engine().remote()
                                              ? tr("The files that you add below appear here.")
                                              : tr("Drop text or JSON files here, or add them below."));
  no_files_->setAlignment(Qt::AlignCenter);
  no_files_->setAttribute(Qt::WA_TransparentForMouseEvents);
  (new QVBoxLayout(table_->viewport()))->addWidget(no_files_);
  path_ = new QLineEdit;
  path_->setObjectName(QStringLiteral("text_path"));
  path_->setPlaceholderText(config_.engine().remote() ? tr("File on %1").arg(config_.engine().host)
                                                      : tr("Enter a path, or drop files here"));
  path_->setAccessibleName(tr("Path of a text file"));
  auto* add = new QPushButton(tr("&Add…"));
  add->setObjectName(QStringLiteral("text_add"));
  add->setToolTip(tr("Add text files"));
  remove_ = new QPushButton(tr("&Remove"));
  remove_->setToolTip(tr("Remove the selected file from the list"));
  split_ = new Note(Note::Kind::plain);
  split_->setObjectName(QStringLiteral("text_split"));
  split_->setMinimumHeight(5 * split_->fontMetrics().lineSpacing());
  split_->setAlignment(Qt::AlignTop);

  auto* row = new QHBoxLayout;
  row->addWidget(path_, 1);
  row->addWidget(add);
  row->addWidget(remove_);
  auto* side = new QWidget;
  auto* layout = new QVBoxLayout(side);
  layout->setContentsMargins({});
  layout->addWidget(table_, 1);
  layout->addLayout(row);
  layout->addWidget(split_);
  connect(add, &QPushButton::clicked, this, &TextPage::browse);
  connect(path_, &QLineEdit::returnPressed, this, &TextPage::add_typed);
  connect(remove_, &QPushButton::clicked, this, &TextPage::remove);
  connect(table_->selectionModel(), &QItemSelectionModel::currentChanged, this, &TextPage::show_removable);
  return side;
}

QLayout* TextPage::make_counts() {
  constexpr int most = std::numeric_limits<int>::max();
  const auto asked = [this](int) { ask_for_counts(); };
  tokens_ = make_number(QStringLiteral("tokens"), 1, most, 10000, asked);
  held_out_ = make_number(QStringLiteral("held_out"), 1, most, 4096, asked);
  auto* row = new QHBoxLayout;
  const auto add = [&](QSpinBox& box, const QString& name, const QString& tip) {
    auto* label = new QLabel(name);
    label->setBuddy(&box);
    label->setToolTip(tip);
    box.setToolTip(tip);
    box.setAccessibleName(QString(name).remove('&'));
    row->addWidget(label);
    row->addWidget(&box);
    row->addSpacing(2 * spacing(*this));
  };
  add(*tokens_, label_of(Setting::tokens), tr("More tokens make better experts but take longer."));
  add(*held_out_, label_of(Setting::held_out_tokens),
      tr("Half of them measure the trade-off, the other half check it."));
  row->addStretch();
  return row;
}

void TextPage::ask_for_counts() { emit counts_wanted({tokens_->value(), held_out_->value()}); }

QWidget* TextPage::make_look() {
  number_ = new QSpinBox;
  number_->setObjectName(QStringLiteral("window_number"));
  number_->setAccessibleName(tr("Window number"));
  number_->setToolTip(tr("The calibration window to show"));
  windows_ = new QLabel;
  view_ = new WindowView;
  view_->setObjectName(QStringLiteral("window_view"));
  view_->setAccessibleName(tr("Text of the window"));
  auto* row = new QHBoxLayout;
  row->addWidget(new QLabel(tr("Window")));
  row->addWidget(number_);
  row->addWidget(windows_);
  row->addStretch();
  auto* side = new QWidget;
  auto* layout = new QVBoxLayout(side);
  layout->setContentsMargins({});
  layout->addLayout(row);
  layout->addWidget(view_, 1);
  tints_ = new Note;
  tints_->setObjectName(QStringLiteral("text_tints"));
  tints_->setMinimumHeight(2 * tints_->fontMetrics().lineSpacing());
  tints_->setAlignment(Qt::AlignTop);
  layout->addWidget(tints_);
  connect(number_, &QSpinBox::valueChanged, this, &TextPage::show_window);
  return side;
}

bool TextPage::isComplete() const { return config_.is_ready(); }

void TextPage::browse() {
  if (config_.engine().remote() || !path_->text().trimmed().isEmpty()) return add_typed();
  const QStringList files =
      QFileDialog::getOpenFileNames(this, tr("Calibration text"), remembered(keys::last_folder),
                                    tr("Text (*.txt *.jsonl *.ndjson *.json);;All files (*)"));
  if (files.isEmpty()) return;
  remember(keys::last_folder, QFileInfo(files.first()).path());
  config_.add_files(files);
}

void TextPage::add_typed() {
  config_.add_files({path_->text().trimmed()});
  path_->clear();
}

void TextPage::remove() {
  const QModelIndex row = table_->currentIndex();
  if (row.isValid()) config_.remove_file(row.row());
}

void TextPage::show_removable() {
  remove_->setEnabled(!config_.self_text() && table_->currentIndex().isValid());
}

QString TextPage::split_in_words() const {
  const Recipe& recipe = config_.recipe();
  if (config_.self_text())
    return tr("The model generates %1 calibration tokens and %2 held-out tokens when the conversion starts.")
        .arg(grouped(recipe.tokens), grouped(recipe.held_out_tokens));
  const auto& look = config_.look();
  if (!look || look->calibration == 0)
    return tr("Needed: %1 calibration tokens, and %2 held-out tokens from other documents.")
        .arg(grouped(recipe.tokens), grouped(recipe.held_out_tokens));
  const auto line = [&](std::int64_t windows, const QString& purpose) {
    const QString count = windows == 1 ? tr("1 window") : tr("%1 windows").arg(grouped(windows));
    return tr("%1 tokens (%2) %3").arg(grouped(windows * recipe.window), count, purpose);
  };
  return QStringList{line(look->calibration, tr("to distil the experts")),
                     line(look->tables, tr("held out, to measure what each policy costs")),
                     line(look->checking, tr("held out, to check the predictions"))}
      .join('\n');
}

QString TextPage::tints_in_words() const {
  QStringList sentences{tr("The two tints alternate from token to token.")};
  const auto& look = config_.look();
  if (!look) return sentences.first();
  std::int64_t special = 0;
  bool estimated = false, conversations = false;
  for (const TextFileLook& file : look->files) {
    special += file.added_tokens;
    estimated |= file.estimated;
    conversations |= file.conversations;
  }
  if (std::ranges::any_of(look->windows, [](const WindowLook& window) { return !window.special.empty(); }))
    sentences << tr("Special tokens are blue.");
  if (special > 0)
    sentences << (estimated ? tr("The files contain about %1 special tokens.")
                                  .arg(count_text(static_cast<double>(special)))
                            : tr("The files contain %1 special tokens.").arg(grouped(special)));
  if (conversations) sentences << tr("Conversations were formatted with the model's chat template.");
  return sentences.join(' ');
}

void TextPage::show_config() {
  const bool own = config_.self_text();
  (own ? own_ : from_files_)->setChecked(true);
  const QString why_not = config_.why_no_self_text();
  own_->setEnabled(own || why_not.isEmpty());
  own_->setToolTip(why_not.isEmpty() ? tr("If you have no text: the model first generates documents itself")
                                     : why_not);
  for (QWidget* widget : {static_cast<QWidget*>(table_), static_cast<QWidget*>(path_)})
    widget->setEnabled(!own);
  no_files_->setVisible(!own && config_.files().isEmpty());
  show_removable();
  split_->setText(split_in_words());

  const int count = config_.look() ? static_cast<int>(config_.look()->windows.size()) : 0;
  show_number(*tokens_, config_.recipe().tokens);
  show_number(*held_out_, config_.recipe().held_out_tokens);
  number_->setEnabled(count > 0);
  number_->setRange(count > 0 ? 1 : 0, count);
  const auto fewer = config_.fewer();
  fewer_->setVisible(fewer.has_value());
  if (fewer)
    fewer_->setText(
        tr("&Use %1 + %2 held-out tokens").arg(grouped(fewer->tokens), grouped(fewer->held_out_tokens)));
  number_->setSpecialValueText(count > 0 ? QString() : tr("–"));
  windows_->setText(count == 0 ? QString()
                    : config_.look()->calibration == count
                        ? tr("of %1, each of %2 tokens").arg(count).arg(config_.recipe().window)
                        : tr("of the first %1 of %2, each of %3 tokens")
                              .arg(count)
                              .arg(grouped(config_.look()->calibration))
                              .arg(config_.recipe().window));
  tints_->setText(tints_in_words());
  show_window();
  view_->setPlaceholderText(own ? tr("The model has not generated its text yet.")
                                : tr("The first window of the text appears here once files are added."));
  const bool wrong = config_.look() && !config_.look()->problems.empty();
  reason_->say(wrong ? Note::Kind::wrong : Note::Kind::faint, config_.reason());
  tell_complete();
}

void TextPage::show_window() {
  const int number = number_->value();
  view_->show_look(number > 0 ? config_.look()->windows[static_cast<std::size_t>(number - 1)] : WindowLook());
}

void TextPage::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls() && !config_.engine().remote()) event->acceptProposedAction();
}

void TextPage::dropEvent(QDropEvent* event) {
  QStringList files;
  for (const QUrl& url : event->mimeData()->urls()) files << url.toLocalFile();
  config_.add_files(files);
}

}  // namespace ladimo::ui
