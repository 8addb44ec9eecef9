#include "ui/panels/model_export.h"

#include <QDateTime>
#include <QDir>
#include <QFileDialog>
#include <QInputDialog>

#include <nlohmann/json.hpp>

#include "run/export_report.h"
#include "run/saved_policy.h"
#include "run/step.h"
#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/engine/serve_client.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/save_file.h"
#include "ui/models/sentences.h"
#include "ui/panels/notice.h"

namespace ladimo::ui {
namespace {

constexpr int thousand = 1000;

QString in_words(const ExportResult& result) {
  return QStringList{bytes_text(static_cast<double>(result.bytes)),
                     ModelExport::tr("read again: largest difference of a logit %1")
                         .arg(number_text(result.verification.max_logit_error)),
                     ModelExport::tr("KL against the run %1 nats per token")
                         .arg(number_text(result.verification.kl_against_run))}
      .join(QStringLiteral(" · "));
}

}  // namespace

ModelExport::ModelExport(PolicyEditor& editor, ServeClient& serve, Engine engine, QWidget* parent)
    : ExportCard(tr("Model folder"),
                 tr("The converted model under the chosen policy, complete in one folder: ladimo opens it "
                    "wherever it takes a model. It is read again and compared."),
                 tr("Write &model…"), parent),
      editor_(editor),
      serve_(serve),
      engine_(std::move(engine)) {
  setObjectName(QStringLiteral("export_model"));
  connect(this, &ExportCard::clicked, this, &ModelExport::ask_or_cancel);
  connect(&serve_, &ServeClient::finished, this, [this](int request, const Outcome& outcome) {
    if (saving_ == 0 || request != saving_) return;
    saving_ = 0;
    if (!outcome.done()) return finish(outcome);
    try {
      start(QString::fromStdString(saved_policy_from_json(parse_answer(outcome.output)).path.string()));
    } catch (const Refusal& refusal) {
      end();
      notice().show_error(complaint(refusal.problem()));
    }
  });
}

void ModelExport::ask_or_cancel() {
  if (job_ && job_->running()) {
    job_->cancel();
    return;
  }
  const QString proposal = editor_.run().folder + QStringLiteral("-model");
  const QString folder =
      engine_.remote() ? QInputDialog::getText(this, tr("Write model"), tr("Folder on %1:").arg(engine_.host),
                                               QLineEdit::Normal, proposal)
                       : QFileDialog::getSaveFileName(this, label_of(Setting::output), proposal, {}, nullptr,
                                                      QFileDialog::ShowDirsOnly);
  if (!folder.isEmpty()) write(folder);
}

void ModelExport::write(const QString& folder) {
  folder_ = folder;
  show_progress(-1);
  notice().say(tr("Starting…"));
  policy_ = RunHistory::of(editor_).with_measured(editor_.policy());
  if (engine_.remote()) return save_there();
  const QString file = policies_.filePath(QStringLiteral("policy.json"));
  const QString failure = save_file(file, QByteArray::fromStdString(to_json(policy_).dump(2)));
  if (failure.isEmpty()) {
    start(file);
  } else {
    end();
    notice().show_error(failure);
  }
}

/// A remote engine cannot read files of this machine, so the policy is saved in the run under a new name.
void ModelExport::save_there() {
  const QString name =
      tr("exported %1").arg(QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd HH.mm.ss")));
  saving_ = serve_.save_policy(policy_, name);
  const QString waits = serve_.waits_for(saving_);
  if (!waits.isEmpty()) notice().say(waits);
}

void ModelExport::start(const QString& policy_file) {
  QStringList arguments{QStringLiteral("export"),   editor_.run().folder, QStringLiteral("--format"),
                        QStringLiteral("native"),   QStringLiteral("-o"), folder_,
                        QStringLiteral("--policy"), policy_file};
  if (!serve_.original().isEmpty()) arguments << QStringLiteral("--dense") << serve_.original();
  set_button(tr("&Cancel"));
  job_ = std::make_unique<EngineProcess>(engine_);
  connect(job_.get(), &EngineProcess::step, this, &ModelExport::show_step);
  connect(job_.get(), &EngineProcess::progress, this, &ModelExport::show_progress_of);
  connect(job_.get(), &EngineProcess::finished, this, &ModelExport::finish);
  job_->start(arguments);
}

void ModelExport::show_step(const StepEvent& event) {
  notice().say(QString::fromStdString(step_in_words(event.name)) + QStringLiteral("…"));
}

void ModelExport::show_progress_of(const ProgressEvent& event) {
  if (event.total > 0) show_progress(static_cast<int>(thousand * event.done / event.total));
}

void ModelExport::end() {
  hide_progress();
  set_button(tr("Write &model…"));
}

void ModelExport::finish(const Outcome& outcome) {
  end();
  if (outcome.kind == Outcome::Kind::canceled) {
    notice().say(tr("Canceled. Delete %1 before you write there again.").arg(folder_));
  } else if (!outcome.done()) {
    notice().show_error(complaint(outcome));
    if (outcome.original_missing) emit original_missing();
  } else {
    show_result(outcome.output);
  }
}

void ModelExport::show_result(const QByteArray& output) {
  try {
    const ExportResult result = export_result_from_json(parse_answer(output));
    const QString said = tr("Written to %1 · %2").arg(folder_, in_words(result));
    engine_.remote() ? notice().say(said) : notice().show_saved(said, folder_);
  } catch (const Refusal& refusal) {
    notice().show_error(complaint(refusal.problem()));
  }
}

}  // namespace ladimo::ui
