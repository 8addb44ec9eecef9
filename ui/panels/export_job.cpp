#include "ui/panels/export_job.h"

#include <QDateTime>

#include <nlohmann/json.hpp>

#include "run/saved_policy.h"
#include "run/step.h"
#include "ui/engine/answer.h"
#include "ui/engine/serve_client.h"
#include "ui/models/numbers.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/save_file.h"

namespace ladimo::ui {
namespace {

constexpr int thousand = 1000;

}  // namespace

ExportJob::ExportJob(PolicyEditor& editor, ServeClient& serve, Engine engine, QObject* parent)
    : QObject(parent), editor_(editor), serve_(serve), engine_(std::move(engine)) {
  connect(&serve_, &ServeClient::finished, this, &ExportJob::accept_place);
}

void ExportJob::start(const Request& request) {
  request_ = request;
  policy_ = RunHistory::of(editor_).with_measured(editor_.policy());
  step_.clear();
  running_ = true;
  emit said(tr("Starting…"));
  emit progressed(-1);
  if (engine_.remote()) return request_.policy_file.isEmpty() ? save_there() : run(request_.policy_file);
  const QString file = files_.filePath(QStringLiteral("policy.json"));
  const QString failure = save_file(file, QByteArray::fromStdString(to_json(policy_).dump(2)));
  failure.isEmpty() ? run(file) : fail({failure.toStdString(), {}, {}});
}

void ExportJob::cancel() {
  if (saving_ != 0) serve_.cancel(saving_);
  if (job_ && job_->running()) job_->cancel();
}

/// A remote engine cannot read files of this machine, so the policy is saved in the run under a new name.
void ExportJob::save_there() {
  const QString name =
      tr("exported %1").arg(QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd HH.mm.ss")));
  saving_ = serve_.save_policy(policy_, name);
  const QString waits = serve_.waits_for(saving_);
  if (!waits.isEmpty()) emit said(waits);
}

void ExportJob::accept_place(int request, const Outcome& outcome) {
  if (saving_ == 0 || request != saving_) return;
  saving_ = 0;
  if (!outcome.done()) {
    end(outcome);
    return;
  }
  try {
    run(QString::fromStdString(saved_policy_from_json(parse_answer(outcome.output)).path.string()));
  } catch (const Refusal& refusal) {
    fail(refusal.problem());
  }
}

QStringList ExportJob::arguments(const Request& request) const {
  QStringList arguments{QStringLiteral("export"), editor_.run().folder, QStringLiteral("--format"),
                        request.format,           QStringLiteral("-o"), request.path};
  if (!request.precision.isEmpty()) arguments << QStringLiteral("--gguf") << request.precision;
  if (request.fit) arguments << QStringLiteral("--fit");
  if (request.finish > 0) arguments << QStringLiteral("--finish") << QString::number(request.finish);
  return arguments << serve_.original_option();
}

void ExportJob::run(const QString& policy_file) {
  job_ = std::make_unique<EngineProcess>(engine_);
  connect(job_.get(), &EngineProcess::step, this, &ExportJob::tell_step);
  connect(job_.get(), &EngineProcess::progress, this, &ExportJob::tell_progress);
  connect(job_.get(), &EngineProcess::finished, this, &ExportJob::end);
  job_->start(arguments(request_) << QStringLiteral("--policy") << policy_file);
}

void ExportJob::tell_step(const StepEvent& event) {
  step_ = QString::fromStdString(step_in_words(event.name));
  if (event.count > 1) step_ = tr("%1 · step %2 of %3").arg(step_).arg(event.index + 1).arg(event.count);
  emit said(step_ + QStringLiteral("…"));
  emit progressed(-1);
}

void ExportJob::tell_progress(const ProgressEvent& event) {
  if (event.total <= 0) return;
  emit progressed(static_cast<int>(thousand * event.done / event.total));
  QString words = step_.isEmpty() ? tr("Reading the run") : step_;
  if (event.layer >= 0) words = tr("%1 · layer %2").arg(words).arg(event.layer);
  if (event.eta_s >= 0) words += tr(" · about %1 left").arg(whole_seconds(event.eta_s));
  emit said(words);
}

void ExportJob::fail(const Problem& problem) { end(failure_of({problem})); }

void ExportJob::end(const Outcome& outcome) {
  running_ = false;
  emit finished(outcome);
}

}  // namespace ladimo::ui
