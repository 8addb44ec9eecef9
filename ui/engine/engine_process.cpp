#include "ui/engine/engine_process.h"

#include <csignal>

#include <QCoreApplication>
#include <QDir>
#include <QTimer>

namespace ladimo::ui {
namespace {

constexpr int refused_status = 2;
constexpr int interrupted_status = 130;
constexpr int grace_ms = 3000;

/// The engine ends its stderr with "error: SENTENCE" and, on lines of their own, what to do and where.
void read_complaint(const QByteArray& error_output, Outcome& outcome) {
  const QString text = QString::fromUtf8(error_output).trimmed();
  const QString mark = QStringLiteral("error: ");
  const qsizetype found = text.lastIndexOf(mark);
  QStringList lines = (found < 0 ? text : text.sliced(found + mark.size())).split('\n', Qt::SkipEmptyParts);
  for (QString& line : lines) line = line.trimmed();
  if (lines.isEmpty()) return;
  if (found < 0) lines = {lines.last()};
  outcome.sentence = lines.takeFirst();
  outcome.hint = lines.join('\n');
}

Outcome describe_signal(int signal) {
  if (signal == SIGKILL)
    return {Outcome::Kind::killed,
            QObject::tr("The engine was killed by the system, most likely for memory."),
            QObject::tr("Close other programs, or ask for fewer calibration tokens. "
                        "What was finished is kept."),
            {}};
  return {Outcome::Kind::killed,
          QObject::tr("The engine crashed (signal %1).").arg(signal),
          QObject::tr("What was finished is kept. The run's log.txt shows how far it came."),
          {}};
}

Outcome describe_status(int status, const QByteArray& error_output) {
  Outcome outcome;
  if (status == 0) return outcome;
  outcome.kind = status == refused_status       ? Outcome::Kind::refused
                 : status == interrupted_status ? Outcome::Kind::canceled
                                                : Outcome::Kind::failed;
  outcome.sentence = QObject::tr("The engine stopped with status %1 and gave no reason.").arg(status);
  if (outcome.kind == Outcome::Kind::canceled) outcome.sentence = QObject::tr("The engine was stopped.");
  read_complaint(error_output, outcome);
  return outcome;
}

}  // namespace

EngineProcess::EngineProcess(QString program, QObject* parent)
    : QObject(parent), program_(std::move(program)) {
  connect(&process_, &QProcess::finished, this, [this] { emit finished(outcome()); });
  connect(&process_, &QProcess::errorOccurred, this, &EngineProcess::fail_to_start);
}

EngineProcess::~EngineProcess() {
  process_.disconnect(this);
  process_.kill();
  process_.waitForFinished();
}

QString EngineProcess::beside_studio() {
  return QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("ladimo"));
}

void EngineProcess::start(const QStringList& arguments) {
  canceled_ = false;
  process_.start(program_, arguments);
}

void EngineProcess::cancel() {
  if (!running()) return;
  canceled_ = true;
  process_.terminate();
  QTimer::singleShot(grace_ms, &process_, [this] {
    if (canceled_) process_.kill();
  });
}

bool EngineProcess::running() const { return process_.state() != QProcess::NotRunning; }

Outcome EngineProcess::outcome() {
  Outcome result = process_.exitStatus() == QProcess::CrashExit
                       ? describe_signal(process_.exitCode())
                       : describe_status(process_.exitCode(), process_.readAllStandardError());
  if (canceled_ && !result.done()) result = {Outcome::Kind::canceled, tr("Stopped."), {}, {}};
  result.output = process_.readAllStandardOutput();
  return result;
}

// Every other error of the process ends in QProcess::finished.
void EngineProcess::fail_to_start(QProcess::ProcessError error) {
  if (error != QProcess::FailedToStart) return;
  emit finished({Outcome::Kind::missing,
                 tr("The engine could not be started: %1").arg(process_.errorString()),
                 tr("The program \"ladimo\" belongs beside this one: %1. Install or build it again.")
                     .arg(QDir::toNativeSeparators(program_)),
                 {}});
}

}  // namespace ladimo::ui
