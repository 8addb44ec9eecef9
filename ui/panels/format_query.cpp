#include "ui/panels/format_query.h"

#include <QDateTime>

#include <nlohmann/json.hpp>

#include "run/saved_policy.h"
#include "ui/engine/answer.h"
#include "ui/engine/lexicon.h"
#include "ui/engine/serve_client.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"
#include "ui/models/save_file.h"

namespace ladimo::ui {
namespace {

constexpr int still_ms = 250;

}  // namespace

FormatQuery::FormatQuery(PolicyEditor& editor, ServeClient& serve, Engine engine, QObject* parent)
    : QObject(parent), editor_(editor), serve_(serve), engine_(std::move(engine)) {
  still_.setSingleShot(true);
  still_.setInterval(still_ms);
  connect(&still_, &QTimer::timeout, this, &FormatQuery::start);
  connect(&serve_, &ServeClient::finished, this, &FormatQuery::accept_place);
}

FormatQuery::~FormatQuery() = default;

bool FormatQuery::asking() const { return still_.isActive() || job_ != nullptr || saving_ != 0; }

void FormatQuery::ask(const QString& precision, bool again) {
  if (known_ && !again && precision == precision_ && same_choice(policy_, editor_.policy())) return;
  known_ = true;
  policy_ = editor_.policy();
  precision_ = precision;
  EngineProcess::dismiss(std::move(job_), *this);
  still_.start();
  emit asked();
}

void FormatQuery::start() {
  EngineProcess::dismiss(std::move(job_), *this);
  try {
    const QString file = file_of(policy_);
    if (file.isEmpty()) {
      emit unknown_there();
      return;
    }
    QStringList arguments{QStringLiteral("export"),
                          editor_.run().folder,
                          QStringLiteral("--formats"),
                          QStringLiteral("--policy"),
                          file,
                          QStringLiteral("--gguf"),
                          precision_};
    arguments << serve_.original_option();
    job_ = std::make_unique<EngineProcess>(engine_);
    connect(job_.get(), &EngineProcess::finished, this, &FormatQuery::finish);
    job_->start(arguments);
  } catch (const Refusal& refusal) {
    fail(refusal.problem());
  }
}

QString FormatQuery::file_of(const Policy& policy) {
  if (!engine_.remote()) {
    const QString file = files_.filePath(QStringLiteral("policy-%1.json").arg(written_++));
    const QString failure = save_file(file, QByteArray::fromStdString(to_json(policy).dump()));
    if (!failure.isEmpty()) throw Refusal(failure.toStdString());
    return file;
  }
  if (there_ && same_choice(there_->first, policy)) return there_->second;
  const RunHistory& history = RunHistory::of(editor_);
  const QString folder = editor_.run().folder + '/';
  if (history.run_policy() && same_choice(*history.run_policy(), policy))
    return folder + QStringLiteral("policy.json");
  for (const auto& [name, saved] : history.policies())
    if (same_choice(saved, policy)) return folder + QStringLiteral("policies/%1.json").arg(name);
  return {};
}

QString FormatQuery::saved_there() const {
  return there_ && same_choice(there_->first, editor_.policy()) ? there_->second : QString();
}

void FormatQuery::save_and_ask() {
  if (saving_ != 0) return;  // the answer is on its way
  name_ = tr("chosen %1").arg(QDateTime::currentDateTime().toString(QStringLiteral("yyyy-MM-dd HH.mm.ss")));
  sent_ = editor_.policy();
  saving_ = serve_.save_policy(sent_, name_);
  emit asked();
}

void FormatQuery::accept_place(int request, const Outcome& outcome) {
  if (saving_ == 0 || request != saving_) return;
  saving_ = 0;
  if (!outcome.done()) {
    emit failed(outcome);
    return;
  }
  try {
    there_ = {sent_,
              QString::fromStdString(saved_policy_from_json(parse_answer(outcome.output)).path.string())};
    RunHistory::of(editor_).set_policy(name_, sent_);
    if (same_choice(sent_, policy_)) start();  // else the slider was moved meanwhile
  } catch (const Refusal& refusal) {
    fail(refusal.problem());
  }
}

void FormatQuery::finish(const Outcome& outcome) {
  job_.release()->deleteLater();  // deleteLater: it is the sender
  if (!outcome.done()) {
    emit failed(outcome);
    return;
  }
  try {
    emit answered(read_export_choices(outcome.output), policy_);
  } catch (const Refusal& refusal) {
    fail(refusal.problem());
  }
}

void FormatQuery::fail(const Problem& problem) { emit failed(failure_of({problem})); }

}  // namespace ladimo::ui
