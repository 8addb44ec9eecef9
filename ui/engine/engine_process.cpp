#include "ui/engine/engine_process.h"

#include <QCoreApplication>
#include <QDir>
#include <QProcessEnvironment>
#include <QTimer>

namespace ladimo::ui {
namespace {

constexpr int grace_ms = 3000;

}  // namespace

EngineProcess::EngineProcess(QString program, QObject* parent)
    : QObject(parent), program_(std::move(program)) {
  // The engine would start itself again to set this (app/cli/early_environment.cpp).
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert(QStringLiteral("OMP_WAIT_POLICY"), QStringLiteral("passive"));
  process_.setProcessEnvironment(environment);
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
  const Outcome result = process_.exitStatus() == QProcess::CrashExit
                             ? outcome_of_signal(process_.exitCode())
                             : outcome_of_status(process_.exitCode(), process_.readAllStandardOutput(),
                                                 process_.readAllStandardError());
  if (canceled_ && !result.done()) return {Outcome::Kind::canceled, tr("Stopped."), {}, {}};
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
