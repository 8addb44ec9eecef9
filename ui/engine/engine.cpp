#include "ui/engine/engine.h"

#include <QCoreApplication>
#include <QDir>

#include "ui/settings/settings.h"

namespace ladimo::ui {
namespace {

/// As one word of a POSIX shell.
QString quoted(const QString& word) {
  return '\'' + QString(word).replace(QStringLiteral("'"), QStringLiteral("'\\''")) + '\'';
}

// Never asks for a password (there is no terminal), and notices within half a minute that the line is dead.
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
  QStringList words{quoted(program)};
  for (const QString& argument : arguments) words << quoted(argument);
  // `exit $?` keeps the shell there: it reports a killed engine as 128 + signal, which ssh alone would not.
  const QString line = "OMP_WAIT_POLICY=passive " + words.join(' ') + "; exit $?";
  return {ssh, ssh_options() + QStringList{"--", host, line}};
}

Engine Engine::beside_studio() {
  return {QDir(QCoreApplication::applicationDirPath()).filePath(QStringLiteral("ladimo")), {}};
}

Engine Engine::chosen() {
  const QString host = remembered(keys::engine_host);
  return host.isEmpty() ? beside_studio() : Engine{remembered(keys::remote_program), host};
}

}  // namespace ladimo::ui
