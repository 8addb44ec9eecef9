// What of a person, a machine and their folders must not be in a text that is given to others.
#pragma once

#include <QString>
#include <QStringList>

namespace ladimo::ui {

struct Personal {
  QString home;         // the home folder
  QStringList users;    // login and full names
  QStringList hosts;    // names of machines
  QStringList folders;  // paths that the window knows: of runs, models, texts

  /// This person and machine, and the folders that the settings remember.
  static Personal here();
};

/// The text with stand-ins: ~ for the home folder, USER, HOST, MAIL and ADDRESS, “folder 1” for a known path,
/// and “…/NAME” for any other absolute path outside of the system's own folders.
QString without(const Personal& personal, QString text);

}  // namespace ladimo::ui
