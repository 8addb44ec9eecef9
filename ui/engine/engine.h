// Where the engine runs: the program beside the studio, or another machine's over ssh.
#pragma once

#include <QString>
#include <QStringList>

namespace ladimo::ui {

struct Engine {
  QString program;  // the command line `ladimo`, as the machine that runs it names it
  QString host;     // empty: this machine
  QString ssh = QStringLiteral("ssh");

  bool remote() const { return !host.isEmpty(); }
  /// Program and arguments that start `ladimo ARGUMENTS` there; remote arguments are quoted for a POSIX
  /// shell.
  struct Command {
    QString program;
    QStringList arguments;
  };
  Command command(const QStringList& arguments) const;
  /// A folder or file as a person typed it, as an absolute path; ~ is the home folder. What another machine
  /// names stays as it is: its own shell knows its home folder.
  QString in_full(const QString& path) const;

  /// The command line that was installed with this program.
  static Engine beside_studio();
  /// As the settings say: this machine's, or `ladimo` on the chosen host.
  static Engine chosen();
};

/// As one word of a POSIX shell; ~/ at its beginning stays the home folder.
QString shell_word(const QString& word);

}  // namespace ladimo::ui
