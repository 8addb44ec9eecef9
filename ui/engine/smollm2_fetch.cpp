#include "ui/engine/smollm2_fetch.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QFileInfo>
#include <QProcessEnvironment>

#include "ui/engine/engine_log.h"

namespace ladimo::ui {
namespace {

constexpr int look_ms = 500;
constexpr int grace_ms = 3000;
constexpr int farewell_ms = 300;

/// The script's last line, without its name.
QString last_words(const QByteArray& errors) {
  const QString line = QString::fromUtf8(errors).trimmed().section('\n', -1);
  const QString name = QStringLiteral("smollm2.sh: ");
  return line.startsWith(name) ? line.mid(name.size()) : line;
}

}  // namespace

Smollm2Fetch::Smollm2Fetch(QString script, QString file, QObject* parent)
    : QObject(parent), script_(std::move(script)), file_(std::move(file)) {
  look_.setInterval(look_ms);
  grace_.setSingleShot(true);
  grace_.setInterval(grace_ms);
  connect(&look_, &QTimer::timeout, this, [this] { emit progressed(arrived()); });
  connect(&grace_, &QTimer::timeout, this, [this] { stop(SIGKILL); });
  connect(&process_, &QProcess::finished, this, &Smollm2Fetch::end);
  connect(&process_, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
    if (error == QProcess::FailedToStart) end();
  });
  // A group of its own, so that what the script starts is stopped with it. Where this program is killed, the
  // script ends; pip ends with its download, in a folder that the next start removes.
  process_.setChildProcessModifier([] {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  });
}

Smollm2Fetch::~Smollm2Fetch() {
  process_.disconnect(this);
  if (!running()) return;
  stop(SIGTERM);
  if (!process_.waitForFinished(farewell_ms)) stop(SIGKILL);
  process_.waitForFinished(grace_ms);
  QDir(stage()).removeRecursively();
}

void Smollm2Fetch::start() {
  canceled_ = false;
  QDir(stage()).removeRecursively();  // of a program that was killed
  const QString scratch = stage() + QStringLiteral("/tmp");
  if (!QDir().mkpath(scratch))
    return emit finished(tr("The folder %1 cannot be made.").arg(QDir::toNativeSeparators(stage())));
  QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
  environment.insert(QStringLiteral("TMPDIR"), scratch);  // pip downloads there
  environment.insert(QStringLiteral("PIP_NO_CACHE_DIR"), QStringLiteral("1"));
  environment.insert(QStringLiteral("PIP_NO_INPUT"), QStringLiteral("1"));
  environment.insert(QStringLiteral("PIP_DISABLE_PIP_VERSION_CHECK"), QStringLiteral("1"));
  process_.setProcessEnvironment(environment);
  process_.start(QStringLiteral("/bin/sh"), {script_, stage()}, QIODevice::ReadOnly);
  look_.start();
}

void Smollm2Fetch::cancel() {
  if (!running() || canceled_) return;
  canceled_ = true;
  stop(SIGTERM);
  grace_.start();
}

void Smollm2Fetch::stop(int signal) {
  if (const qint64 group = process_.processId(); group > 0) ::kill(-static_cast<pid_t>(group), signal);
}

qint64 Smollm2Fetch::arrived() const {
  qint64 bytes = 0;
  QDirIterator files(stage(), QDir::Files | QDir::Hidden, QDirIterator::Subdirectories);
  while (files.hasNext()) bytes += files.nextFileInfo().size();
  return bytes;
}

void Smollm2Fetch::end() {
  look_.stop();
  grace_.stop();
  const QByteArray errors = process_.readAllStandardError();
  if (!canceled_) log_engine(QString::fromUtf8(errors));
  const bool done = process_.exitStatus() == QProcess::NormalExit && process_.exitCode() == 0 &&
                    process_.error() != QProcess::FailedToStart;
  const QString words = last_words(errors);
  const QString failure = done              ? move_into_place()
                          : words.isEmpty() ? tr("The download was stopped.")
                                            : words;
  QDir(stage()).removeRecursively();
  if (canceled_ && !QFileInfo::exists(file_))
    emit canceled();
  else
    emit finished(failure);
}

QString Smollm2Fetch::move_into_place() {
  const QString fetched = stage() + '/' + QFileInfo(file_).fileName();
  if (!QFileInfo(fetched).isFile()) return tr("The download contains no model.");
  QFile file(fetched);
  return file.rename(file_) ? QString() : file.errorString();
}

}  // namespace ladimo::ui
