#include "ui/engine/line_process.h"

#include <algorithm>

#include <QDir>
#include <QPointer>

#include "ui/engine/engine_log.h"

namespace ladimo::ui {
namespace {

constexpr int grace_ms = 3000;
constexpr int remote_grace_ms = 20000;
constexpr int farewell_ms = 300;  // the engine needs about 100
constexpr int slice_ms = 8;
constexpr int patience_ms = 15 * 60 * 1000;
constexpr qsizetype last_words_kept = 4096;

/// Whether the line is an event that says what goes wrong.
bool complains(const QByteArray& line) {
  return line.startsWith("{\"event\":\"error\"") || line.startsWith("{\"event\":\"warning\"");
}

}  // namespace

LineProcess::LineProcess(Engine engine, QObject* parent) : QObject(parent), engine_(std::move(engine)) {
  deliver_.setSingleShot(true);
  silence_.setSingleShot(true);
  grace_.setSingleShot(true);
  silence_.setInterval(patience_ms);
  const auto schedule = [this] { deliver_.start(0); };
  connect(&deliver_, &QTimer::timeout, this, &LineProcess::deliver);
  connect(&silence_, &QTimer::timeout, this, &LineProcess::give_up);
  connect(&grace_, &QTimer::timeout, this, &LineProcess::give_up);
  connect(&process_, &QProcess::readyReadStandardOutput, this, schedule);
  connect(&process_, &QProcess::readyReadStandardError, this,
          [this] { keep_last_words(process_.readAllStandardError()); });
  connect(&process_, &QProcess::finished, this, [this] { finish(true); });
  connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) finish(false);
  });
}

LineProcess::~LineProcess() {
  process_.disconnect(this);
  if (!running()) return;
  process_.closeWriteChannel();
  process_.terminate();
  if (process_.waitForFinished(farewell_ms)) return;
  process_.kill();
  process_.waitForFinished(grace_ms);
}

void LineProcess::start(const QStringList& arguments) {
  ending_ = {};
  ending_.host = engine_.host;
  last_words_.clear();
  over_ = false;
  log_engine(QStringLiteral("$ ladimo ") + arguments.join(' '));
  const Engine::Command command = engine_.command(arguments);
  process_.start(command.program, command.arguments);
}

void LineProcess::write(const QByteArray& line) { process_.write(line + '\n'); }

void LineProcess::stop() {
  if (!running() || ending_.canceled) return;
  ending_.canceled = true;
  if (engine_.remote())
    process_.closeWriteChannel();
  else
    process_.terminate();
  grace_.start(engine_.remote() ? std::min(remote_grace_ms, silence_.interval()) : grace_ms);
}

bool LineProcess::running() const { return process_.state() != QProcess::NotRunning; }

void LineProcess::expect_answer(bool expected) {
  if (expected && engine_.remote())
    silence_.start();
  else
    silence_.stop();
}

void LineProcess::give_up() {
  if (!running()) return;
  ending_.unanswered = true;
  process_.kill();
}

void LineProcess::keep_last_words(const QByteArray& words) {
  last_words_ = (last_words_ + words).right(last_words_kept);
  log_engine(QString::fromUtf8(words));
}

void LineProcess::finish(bool started) {
  silence_.stop();
  grace_.stop();
  ending_.started = started;
  const bool crashed = started && process_.exitStatus() == QProcess::CrashExit;
  (crashed ? ending_.signal : ending_.status) = process_.exitCode();
  keep_last_words(process_.readAllStandardError());
  if (!started)
    last_words_ = QObject::tr("%1 (%2)")
                      .arg(process_.errorString(), QDir::toNativeSeparators(process_.program()))
                      .toUtf8();
  over_ = true;
  deliver_.start(0);
}

void LineProcess::deliver() {
  const QPointer<LineProcess> self(this);
  QElapsedTimer clock;
  clock.start();
  while (process_.canReadLine() || (over_ && process_.bytesAvailable() > 0)) {
    if (clock.elapsed() >= slice_ms) return deliver_.start(0);
    const QByteArray text = process_.readLine().trimmed();
    if (text.isEmpty()) continue;
    ending_.heard = true;
    if (silence_.isActive()) silence_.start();
    if (complains(text)) log_engine(QString::fromUtf8(text));
    if (!text.startsWith('{'))
      keep_last_words(text + '\n');
    else
      emit line(text);
    if (!self) return;
  }
  if (!over_) return;
  over_ = false;
  log_engine(ending_.signal != 0 ? QStringLiteral("ended by signal %1").arg(ending_.signal)
                                 : QStringLiteral("ended with status %1").arg(ending_.status));
  ending_.last_words = QString::fromUtf8(last_words_).trimmed().section('\n', -1);
  emit ended(Ending(ending_));
}

}  // namespace ladimo::ui
