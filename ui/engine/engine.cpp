#include "ui/engine/engine.h"

#include <QCoreApplication>
#include <QDir>

#include "base/shell_word.h"
#include "ui/settings/settings.h"

namespace ladimo::ui {
namespace {

// ssh must not ask for a password, since there is no terminal, and must notice a dead connection within half
// a minute.
const QStringList& ssh_options() {
  static const QStringList options = {"-T",
                                      "-o",
                                      "BatchMode=yes",
                                      "-o",
                                      "ConnectTimeout=10",
                                      "-o",
                                      "ServerAliveInterval=10",
                                      "-o",
                                      "ServerAliveCountMax=3"};
  return options;
}

}  // namespace

Engine::Command Engine::command(const QStringList& arguments) const {
  if (!remote()) return {program, arguments};
  QStringList words{shell_word(program)};
  for (const QString& argument : arguments) words << shell_word(argument);
  // `exit $?` keeps the shell there: it reports a killed engine as 128 + signal, which ssh alone would not.
  const QString line = words.join(' ') + "; exit $?";
  return {ssh, ssh_options() + QStringList{"--", host, line}};
}

QString Engine::in_full(const QString& path) const {
  if (path.isEmpty()) return path;
  if (remote()) return QDir::cleanPath(path);  // its home folder and its current one are not known here
  const bool at_home = path == QLatin1String("~") || path.startsWith(QLatin1String("~/"));
  return QDir::cleanPath(at_home ? QDir::homePath() + path.mid(1) : QDir::current().absoluteFilePath(path));
}

QString shell_word(const QString& word) {
  static const QString home = QStringLiteral("~/");
  if (word == home) return word;
  if (word.startsWith(home)) return home + shell_word(word.mid(home.size()));
  return QString::fromStdString(ladimo::shell_word(word.toStdString()));
}

Engine Engine::beside_studio() {
  return {QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("ladimo")), {}};
}

Engine Engine::chosen() {
  const QString host = remembered(keys::engine_host);
  return host.isEmpty() ? beside_studio() : Engine{remembered(keys::remote_program), host};
}

}  // namespace ladimo::ui
