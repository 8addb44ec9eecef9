#include "ui/mainwindow/diagnostics_dialog.h"

#include <QClipboard>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFontDatabase>
#include <QGuiApplication>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/engine/engine_log.h"
#include "ui/mainwindow/program_facts.h"
#include "ui/mainwindow/window_place.h"
#include "ui/models/run_data.h"
#include "ui/models/save_file.h"
#include "ui/widgets/note.h"
#include "ui/widgets/spacing.h"

namespace ladimo::ui {
namespace {

Facts joined(Facts first, const Facts& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Personal personal_of(const Engine& engine, const RunData* run) {
  Personal found = Personal::here();
  found.hosts << engine.host.section('@', -1);
  if (!run) return found;
  found.folders << run->folder << QString::fromStdString(run->recipe.model.string());
  for (const auto& file : run->recipe.text) found.folders << QString::fromStdString(file.string());
  return found;
}

}  // namespace

DiagnosticsDialog::DiagnosticsDialog(const Engine& engine, const RunData* run, QWidget* parent)
    : QDialog(parent),
      run_(run ? anonymous_facts(*run) : Facts()),
      where_(engine.remote() ? QStringLiteral("another machine") : QStringLiteral("this machine")),
      personal_(personal_of(engine, run)),
      report_(new QPlainTextEdit),
      said_(new Note(Note::Kind::faint)) {
  setObjectName(QStringLiteral("diagnostics"));
  setAttribute(Qt::WA_DeleteOnClose);
  setWindowTitle(tr("Diagnostics report"));
  const int space = spacing(*this);
  report_->setObjectName(QStringLiteral("report"));
  report_->setAccessibleName(windowTitle());
  report_->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
  report_->setLineWrapMode(QPlainTextEdit::NoWrap);
  report_->setPlainText(tr("Waiting for the engine…"));
  report_->setReadOnly(true);  // until the report is there
  said_->setObjectName(QStringLiteral("said"));
  said_->setMinimumHeight(said_->fontMetrics().lineSpacing());

  auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
  auto* copying = buttons->addButton(tr("&Copy"), QDialogButtonBox::ActionRole);
  auto* saving = buttons->addButton(tr("&Save…"), QDialogButtonBox::ActionRole);
  connect(copying, &QPushButton::clicked, this, &DiagnosticsDialog::copy);
  connect(saving, &QPushButton::clicked, this, &DiagnosticsDialog::ask_and_save);
  connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
  auto* column = new QVBoxLayout(this);
  column->setSpacing(space);
  column->addWidget(new Note(Note::Kind::plain,
                             tr("Add this to a bug report. It contains only what you see; your name, machine "
                                "names and folder names are replaced. You can edit it.")));
  column->addWidget(report_, 1);
  column->addWidget(said_);
  column->addWidget(buttons);
  new WindowPlace(*this, QSize(90 * space, 70 * space));
  ask_engine(engine, *this, [this](const EngineAnswer& answer) { show_report(answer); });
}

void DiagnosticsDialog::show_report(const EngineAnswer& answer) {
  const Facts unknown{{QStringLiteral("Engine"), answer.why_not}};
  const Facts where{{QStringLiteral("Runs on"), where_}};
  report_->setPlainText(
      report_text({{QStringLiteral("Versions"),
                    joined(versions_of_studio(), answer.facts ? versions_of(*answer.facts) : unknown)},
                   {QStringLiteral("This computer"), machine_of_studio()},
                   {QStringLiteral("Machine of the engine"),
                    joined(where, answer.facts ? machine_of(*answer.facts) : Facts())},
                   {QStringLiteral("Changed settings"), changed_settings_facts()},
                   {QStringLiteral("Open run"), run_},
                   {QStringLiteral("Last lines of the engine"), {}, engine_log()}},
                  personal_));
  report_->setReadOnly(false);
}

void DiagnosticsDialog::copy() {
  QGuiApplication::clipboard()->setText(report_->toPlainText());
  said_->say(Note::Kind::faint, tr("Copied."));
}

void DiagnosticsDialog::ask_and_save() {
  const QString path = QFileDialog::getSaveFileName(this, tr("Save report"),
                                                    QStringLiteral("ladimo-report.txt"), tr("Text (*.txt)"));
  if (!path.isEmpty()) save(path);
}

void DiagnosticsDialog::save(const QString& path) {
  const QString complaint = save_file(path, report_->toPlainText().toUtf8());
  said_->say(complaint.isEmpty() ? Note::Kind::faint : Note::Kind::wrong,
             complaint.isEmpty() ? tr("Saved as %1.").arg(path) : complaint);
}

}  // namespace ladimo::ui
