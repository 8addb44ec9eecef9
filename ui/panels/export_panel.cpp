#include "ui/panels/export_panel.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>

#include <nlohmann/json.hpp>

#include "ui/models/policy_editor.h"
#include "ui/models/run_csv.h"
#include "ui/models/run_history.h"
#include "ui/models/save_file.h"
#include "ui/panels/export_card.h"
#include "ui/panels/format_export.h"
#include "ui/panels/notice.h"
#include "ui/panels/policy_saving.h"
#include "ui/panels/report.h"
#include "ui/panels/saved_policies.h"
#include "ui/settings/settings.h"
#include "ui/widgets/help_mark.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

QLabel* heading(const QString& text, const QFont& font) {
  auto* label = new QLabel(text);
  label->setFont(title_font(font));
  return label;
}

/// A heading with the mark of the panel's help.
QLayout* heading(const QString& text, const QFont& font, Help about, QWidget& panel) {
  auto* row = new QHBoxLayout;
  row->addWidget(heading(text, font));
  row->addWidget(new HelpMark(about, panel));
  row->addStretch();
  return row;
}

/// Asks where to save a file, starting in the last folder. Empty when the person cancels.
QString ask_file(QWidget* parent, const QString& title, const QString& proposal, const QString& filter) {
  QString path = QFileDialog::getSaveFileName(parent, title,
                                              QDir(remembered(keys::last_folder)).filePath(proposal), filter);
  if (path.isEmpty()) return path;
  remember(keys::last_folder, QFileInfo(path).path());
  if (QFileInfo(path).suffix().isEmpty()) path += QLatin1Char('.') + QFileInfo(proposal).suffix();
  return path;
}

}  // namespace

ExportPanel::ExportPanel(std::shared_ptr<const RunData> run, PolicyEditor& editor, ServeClient& serve,
                         Engine engine, PolicySaving& saving, QWidget* parent)
    : QWidget(parent),
      run_(std::move(run)),
      editor_(editor),
      saving_(saving),
      policy_file_(new ExportCard(tr("Policy file"),
                                  tr("The current policy with its numbers, for ladimo --policy."),
                                  tr("Save &policy…"))),
      tables_(new ExportCard(tr("Tables"),
                             tr("Layers, candidate policies, routing weights and times as CSV files."),
                             tr("Save &tables…"))),
      report_(new ExportCard(tr("Report"),
                             tr("Recipe, numbers, plots and the policy of every layer as a PDF."),
                             tr("Save &report…"))),
      model_(new FormatExport(editor, serve, engine)) {
  setObjectName(QStringLiteral("export_panel"));
  const int space = spacing(*this);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(2 * space, 2 * space, 2 * space, 2 * space);
  column->setSpacing(space);
  column->addLayout(heading(tr("Export model"), font(), Help::formats, *model_));
  column->addWidget(model_, 3);
  column->addSpacing(space);
  auto* policies = new SavedPolicies(editor, saving);
  column->addLayout(heading(tr("Policies"), font(), Help::policies, *policies));
  policies->setMinimumHeight(24 * space);
  column->addWidget(policies, 2);
  column->addSpacing(space);
  column->addWidget(heading(tr("Other files"), font()));
  column->addLayout(make_cards());
  connect(policy_file_, &ExportCard::clicked, this, &ExportPanel::ask_policy_file);
  connect(tables_, &ExportCard::clicked, this, &ExportPanel::ask_tables);
  connect(report_, &ExportCard::clicked, this, &ExportPanel::ask_report);
  connect(model_, &FormatExport::original_missing, this, &ExportPanel::original_missing);
}

QLayout* ExportPanel::make_cards() {
  policy_file_->setObjectName(QStringLiteral("export_policy"));
  tables_->setObjectName(QStringLiteral("export_tables"));
  report_->setObjectName(QStringLiteral("export_report"));
  auto* row = new QHBoxLayout;
  row->setSpacing(spacing(*this));
  for (ExportCard* card : {policy_file_, tables_, report_}) row->addWidget(card, 1);
  return row;
}

void ExportPanel::ask_policy_file() {
  const QString path =
      ask_file(this, tr("Save policy"), run_->name() + QStringLiteral("-policy.json"), tr("Policy (*.json)"));
  if (!path.isEmpty()) save_policy_file(path);
}

void ExportPanel::ask_tables() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder for the tables"));
  if (!folder.isEmpty()) save_tables(folder);
}

void ExportPanel::ask_report() {
  const QString path =
      ask_file(this, tr("Save report"), run_->name() + QStringLiteral("-report.pdf"), tr("PDF (*.pdf)"));
  if (!path.isEmpty()) save_report(path);
}

void ExportPanel::save_policy_file(const QString& path) {
  show_end(*policy_file_, saving_.save_copy(editor_.policy(), path), tr("Saved as %1.").arg(path), path);
}

void ExportPanel::save_tables(const QString& folder) {
  QStringList names;
  for (const CsvFile& file : tables_as_csv(editor_)) {
    const QString failure = save_file(QDir(folder).filePath(file.name), file.text.toUtf8());
    if (!failure.isEmpty()) {
      show_end(*tables_, failure, {}, folder);
      return;
    }
    names << file.name;
  }
  show_end(*tables_, {}, tr("Saved %1 in %2.").arg(names.join(QStringLiteral(", ")), folder), folder);
}

void ExportPanel::save_report(const QString& path) {
  show_end(*report_, write_report(editor_, path), tr("Saved as %1.").arg(path), path);
}

void ExportPanel::write_model(const QString& path) { model_->write(path); }

bool ExportPanel::writing() const { return model_->writing(); }

void ExportPanel::show_end(ExportCard& card, const QString& failure, const QString& said,
                           const QString& path) {
  if (failure.isEmpty())
    card.notice().show_saved(said, path);
  else
    card.notice().show_error(failure);
}

}  // namespace ladimo::ui
