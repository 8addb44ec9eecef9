#include "ui/panels/format_export.h"

#include <QComboBox>
#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QStyle>
#include <QTableView>

#include <nlohmann/json.hpp>

#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/engine/serve_client.h"
#include "ui/models/command_lines.h"
#include "ui/models/measurements_model.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/sentences.h"
#include "ui/panels/fit_choice.h"
#include "ui/panels/loading_lines.h"
#include "ui/panels/notice.h"
#include "ui/widgets/copy_command.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"
#include "ui/widgets/table_actions.h"

namespace ladimo::ui {
namespace {

constexpr int thousand = 1000;
constexpr int visible_formats = 9;  // rows of the table
const char* const precisions[] = {"F32", "F16", "BF16", "Q8_0"};

QString key_text(const ExportChoice& choice) {
  return choice.gguf ? choice.format + QStringLiteral(".gguf") : choice.format;
}

}  // namespace

FormatExport::FormatExport(PolicyEditor& editor, ServeClient& serve, Engine engine, QWidget* parent)
    : QWidget(parent),
      editor_(editor),
      serve_(serve),
      engine_(std::move(engine)),
      query_(editor, serve, engine_),
      job_(editor, serve, engine_),
      place_(editor.run().folder, engine_),
      formats_(new FormatsModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      table_(new QTableView),
      state_(new Notice),
      title_(new QLabel),
      why_(new Note(Note::Kind::plain)),
      precision_(new QComboBox),
      fit_(new FitChoice),
      button_(new QPushButton(tr("E&xport…"))),
      copy_(new CopyCommand([this] { return command(); })),
      progress_(new QProgressBar),
      notice_(new Notice),
      price_(new QLabel),
      nothing_yet_(new Note),
      lines_(new LoadingLines) {
  setObjectName(QStringLiteral("format_export"));
  make_table();
  lay_out();
  connect_all();
  show_selected();
}

void FormatExport::make_table() {
  sorted_->setSourceModel(formats_);
  sorted_->setSortRole(FormatsModel::sort_role);
  table_->setModel(sorted_);
  set_table_look(*table_);
  table_->setObjectName(QStringLiteral("formats"));
  table_->setAccessibleName(tr("Export formats and their support for the current policy"));
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->sortByColumn(-1, Qt::AscendingOrder);  // the engine's order
  auto* actions = new TableActions(*table_, editor_.run().name() + QStringLiteral("-formats"));
  connect(actions, &TableActions::failed, notice_, &Notice::show_error);
  connect(actions, &TableActions::saved, notice_,
          [this](const QString& path) { notice_->show_saved(tr("Saved as %1.").arg(path), path); });
}

void FormatExport::connect_all() {
  connect(&editor_, &PolicyEditor::changed, this, [this] { ask(false); });
  connect(&RunHistory::of(editor_), &RunHistory::measurements_changed, this, &FormatExport::show_measured);
  connect(precision_, &QComboBox::currentIndexChanged, this, [this] { ask(false); });
  connect(fit_, &FitChoice::changed, this, &FormatExport::show_fit);
  connect(button_, &QPushButton::clicked, this, &FormatExport::ask_or_cancel);
  connect(table_, &QTableView::doubleClicked, this, [this] {
    if (!writing()) button_->click();
  });
  connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this,
          &FormatExport::show_selected);
  connect(&query_, &FormatQuery::asked, this, [this] {
    state_->say(tr("Checking what each format supports…"));
    show_button();
  });
  connect(&query_, &FormatQuery::answered, this, &FormatExport::show_choices);
  connect(&query_, &FormatQuery::failed, this, &FormatExport::show_failure);
  connect(&query_, &FormatQuery::unknown_there, this, [this] {
    state_->offer(tr("The current policy exists only in this window. The engine on %1 cannot see it.")
                      .arg(engine_.host),
                  tr("Save in run"));
    formats_->set_choices({}, {});
    show_selected();
  });
  connect(state_, &Notice::acted, this, [this] { state_->failed() ? ask(true) : query_.save_and_ask(); });
  connect(&job_, &ExportJob::said, this,
          [this](const QString& words) { notice_->say(tr("%1: %2").arg(title_in_words(writing_), words)); });
  connect(&job_, &ExportJob::progressed, this, [this](int thousandths) {
    progress_->setRange(0, thousandths < 0 ? 0 : thousand);
    progress_->setValue(thousandths);
  });
  connect(&job_, &ExportJob::finished, this, &FormatExport::finish);
}

void FormatExport::lay_out() {
  const int space = spacing(*this);
  table_->setMinimumHeight((visible_formats + 2) * 3 * space +
                           table_->style()->pixelMetric(QStyle::PM_ScrollBarExtent));
  auto* below = new QHBoxLayout;
  below->setSpacing(3 * space);
  below->addWidget(lay_out_choice(), 1);
  below->addWidget(lay_out_result(), 1);
  auto* page = new QVBoxLayout(this);
  page->setContentsMargins({});
  page->setSpacing(space);
  page->addWidget(state_);
  page->addWidget(table_, 1);
  page->addLayout(below);
}

/// What there is to know and to choose about the selected format, and the button.
QWidget* FormatExport::lay_out_choice() {
  const int space = spacing(*this);
  state_->setObjectName(QStringLiteral("formats_state"));
  QFont bold = font();
  bold.setBold(true);
  title_->setFont(bold);
  why_->setObjectName(QStringLiteral("format_why"));
  why_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
  why_->setMinimumHeight(3 * fontMetrics().lineSpacing());
  precision_->setObjectName(QStringLiteral("gguf_precision"));
  for (const char* name : precisions) precision_->addItem(QLatin1String(name));
  precision_->setCurrentText(QStringLiteral("BF16"));
  precision_->setToolTip(
      tr("Precision of GGUF files: 4 bytes per weight (F32), 2 (F16, BF16), or about 1 (Q8_0)"));
  precision_->setAccessibleName(label_of(Setting::gguf).remove('&'));
  auto* label = new QLabel(label_of(Setting::gguf));
  label->setBuddy(precision_);
  button_->setObjectName(QStringLiteral("write_model"));
  notice_->setObjectName(QStringLiteral("write_notice"));
  notice_->setMinimumHeight(2 * fontMetrics().lineSpacing());
  QSizePolicy keeps_its_room = progress_->sizePolicy();
  keeps_its_room.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(keeps_its_room);
  progress_->setMaximumHeight(space);
  progress_->setTextVisible(false);
  progress_->hide();

  auto* settings = new QHBoxLayout;
  settings->setSpacing(space);
  settings->addWidget(label);
  settings->addWidget(precision_);
  settings->addStretch(1);
  auto* action = new QHBoxLayout;
  action->setSpacing(space);
  action->addWidget(button_);
  action->addWidget(copy_);
  action->addWidget(progress_, 1);
  auto* side = new QWidget;
  side->setMinimumHeight(24 * space);
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins({});
  column->setSpacing(space);
  column->addWidget(title_);
  column->addWidget(why_);
  column->addLayout(settings);
  column->addWidget(fit_);
  column->addLayout(action);
  column->addWidget(notice_);
  column->addStretch(1);
  return side;
}

/// What a fit cost, and how the written model is loaded.
QWidget* FormatExport::lay_out_result() {
  price_->setObjectName(QStringLiteral("fit_price"));
  price_->setTextFormat(Qt::RichText);
  price_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  nothing_yet_->setText(tr("After an export, this shows how to load the model, and what a fit cost."));
  auto* side = new QWidget;
  auto* column = new QVBoxLayout(side);
  column->setContentsMargins({});
  column->setSpacing(spacing(*this));
  for (QWidget* widget : std::initializer_list<QWidget*>{nothing_yet_, lines_, price_})
    column->addWidget(widget);
  column->addStretch(1);
  return side;
}

void FormatExport::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  formats_->set_theme(theme_of(palette()));
  ask(false);
}

void FormatExport::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() == QEvent::PaletteChange) formats_->set_theme(theme_of(palette()));
}

void FormatExport::ask(bool again) {
  if (isVisible()) query_.ask(precision(), again);  // showEvent calls this again
}

void FormatExport::show_choices(const std::vector<ExportChoice>& choices, const Policy& policy) {
  const QString before = key_text(selected());
  formats_->set_choices(choices, policy);
  show_measured();
  fit_columns(*table_);
  state_->say(tr("Current policy: %1 · predicted KL %2 · %3 of the parameters")
                  .arg(kinds_in_words(policy.layers), number_text(policy.predicted.kl),
                       percent_text(policy.predicted.activated_fraction)));
  int row = 0;
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (key_text(choices[i]) == before) row = static_cast<int>(i);
  if (!choices.empty()) table_->selectRow(sorted_->mapFromSource(formats_->index(row, 0)).row());
  show_selected();
}

void FormatExport::show_failure(const Outcome& outcome) {
  formats_->set_choices({}, {});
  state_->offer_after_error(complaint(outcome), tr("Try again"));
  show_selected();
  if (outcome.original_missing) emit original_missing();
}

std::optional<FormatsModel::Measured> FormatExport::measured(const ExportChoice& choice) const {
  if (const auto at = written_.find({choice.format, choice.gguf}); at != written_.end())
    if (const auto& price = at->second.result.fit; price && same_choice(at->second.policy, editor_.policy()))
      return FormatsModel::Measured{
          price->of_written().kl,
          tr("Measured by the fit of the export, on %1 held-out tokens").arg(grouped(price->tokens))};
  const Measurement* found = RunHistory::of(editor_).newest(editor_.policy(), EvaluatedText::checking);
  if (!choice.expressible || found == nullptr) return {};
  return FormatsModel::Measured{found->numbers.kl,
                                tr("Measured by the run, on %1 held-out tokens, %2")
                                    .arg(grouped(found->tokens), date_in_words(found->date))};
}

void FormatExport::show_measured() {
  std::vector<std::optional<FormatsModel::Measured>> all;
  for (const ExportChoice& choice : formats_->choices()) all.push_back(measured(choice));
  formats_->set_measured(std::move(all));
}

ExportChoice FormatExport::selected() const {
  const auto rows = table_->selectionModel()->selectedRows();
  if (rows.isEmpty()) return {};
  return formats_->choices().at(static_cast<std::size_t>(sorted_->mapToSource(rows.first()).row()));
}

QString FormatExport::precision() const { return precision_->currentText().toLower(); }

void FormatExport::show_selected() {
  const ExportChoice choice = selected();
  title_->setText(choice.title.isEmpty() ? tr("No format is selected") : title_in_words(choice));
  precision_->setEnabled(choice.gguf && choice.possible);
  fit_->offer(choice);
  show_fit();
  show_button();
  if (!writing()) show_written();
}

/// What the fit does.
void FormatExport::show_fit() {
  const ExportChoice choice = selected();
  why_->say(Note::Kind::plain, choice.title.isEmpty() ? QString() : why(choice, fit_->fit()));
}

void FormatExport::show_button() {
  const ExportChoice choice = selected();
  const bool working = writing();
  const QString why_not = working                  ? QString()
                          : query_.asking()        ? tr("Checking what each format supports")
                          : choice.title.isEmpty() ? tr("Select a format first")
                          : !choice.possible       ? choice.reason
                                                   : QString();
  button_->setText(working ? tr("&Cancel") : tr("E&xport…"));
  button_->setEnabled(why_not.isEmpty());
  copy_->setEnabled(choice.possible && !choice.format.isEmpty());
  button_->setToolTip(!why_not.isEmpty() ? why_not
                      : working          ? tr("Stops the export and deletes what was written")
                                         : tr("Exports the model and verifies it against the run"));
  progress_->setVisible(working);
}

/// The result of the selected format, if it was written in this session.
void FormatExport::show_written() {
  const ExportChoice choice = selected();
  const auto at = written_.find({choice.format, choice.gguf});
  const bool there = at != written_.end() && !(formats_->choices().empty() && !choice.native());
  price_->setVisible(there && at->second.result.fit.has_value());
  lines_->setVisible(there);
  nothing_yet_->setVisible(!there);
  if (!there) return notice_->clear();
  const WrittenModel& written = at->second;
  QString said = tr("Exported to %1 · %2").arg(written.path(), result_in_words(written));
  if (!same_choice(written.policy, editor_.policy())) said += tr(" · not with the current policy");
  engine_.remote() ? notice_->say(said) : notice_->show_saved(said, written.path());
  if (written.result.fit) price_->setText(fit_in_words(*written.result.fit));
  lines_->show_lines(loading_lines(written));
}

void FormatExport::ask_or_cancel() {
  if (writing()) return job_.cancel();
  if (const QString path = place_.ask(*this, selected(), precision()); !path.isEmpty()) write(path);
}

ExportJob::Request FormatExport::request(const QString& path) const {
  const ExportChoice choice = selected();
  ExportJob::Request request{choice.format, choice.gguf ? precision() : QString(), fit_->fit(),
                             fit_->passes()};
  request.path = path;
  return request;
}

QString FormatExport::command() const {
  return command_under(editor_, editor_.policy(),
                       job_.arguments(request(place_.proposed(selected(), precision()))));
}

void FormatExport::write(const QString& path) {
  writing_ = selected();
  if (writing_.title.isEmpty()) writing_.title = tr("LaDiMo");  // the engine has not told the formats
  ExportJob::Request request = this->request(path);
  request.policy_file = query_.saved_there();
  job_.start(request);
  show_button();
}

void FormatExport::finish(const Outcome& outcome) {
  show_button();
  try {
    if (outcome.done())
      written_[{writing_.format, writing_.gguf}] = {writing_, job_.request().precision, job_.policy(),
                                                    export_result_from_json(parse_answer(outcome.output))};
    show_measured();
    show_written();
    if (outcome.kind == Outcome::Kind::canceled)
      notice_->say(tr("Cancelled. Nothing was written."));
    else if (!outcome.done())
      notice_->show_error(complaint(outcome));
    else if (key_text(selected()) != key_text(writing_))
      notice_->say(tr("Exported %1.").arg(title_in_words(writing_)));
  } catch (const Refusal& refusal) {
    notice_->show_error(complaint(refusal.problem()));
  }
  if (outcome.original_missing) emit original_missing();
}

}  // namespace ladimo::ui
