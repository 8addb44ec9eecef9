// Where the engine runs: on this machine, or on another one over ssh.
#pragma once

#include <QString>
#include <QStringList>

namespace ladimo::ui {

struct Engine {
  QString program;  // path or name of `ladimo` on the machine where it runs
  QString host;     // empty: this machine
  QString ssh = QStringLiteral("ssh");

  bool remote() const { return !host.isEmpty(); }
  /// The program and arguments that run `ladimo ARGUMENTS` on the engine's machine. Remote arguments are
  /// quoted for a POSIX shell.
  struct Command {
    QString program;
    QStringList arguments;
  };
  Command command(const QStringList& arguments) const;
  /// The absolute path of a file or folder that a person typed; ~ is the home folder. A path on another
  /// machine stays as it is, because the shell there expands it.
  QString in_full(const QString& path) const;

  /// The `ladimo` that was installed with this program.
  static Engine beside_studio();
  /// The engine that the settings name: this machine's, or `ladimo` on the chosen host.
  static Engine chosen();
};

/// Quotes a word for a POSIX shell. ~/ at its beginning still means the home folder.
QString shell_word(const QString& word);

}  // namespace ladimo::ui
