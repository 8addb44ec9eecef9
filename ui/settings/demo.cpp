#include "ui/settings/demo.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace ladimo::ui {
namespace {

/// The first of the places, seen from the program, where `folder` holds `file`.
QString beside_program(const QString& folder, const QString& file) {
  const QDir program(QCoreApplication::applicationDirPath());
  for (const char* place : {"../share/ladimo-studio/", "../", "../../"}) {
    const QString path = QDir::cleanPath(program.filePath(place + folder));
    if (QFileInfo(path + '/' + file).isFile()) return path;
  }
  return {};
}

}  // namespace

QString demo_model() { return beside_program(QStringLiteral("demo"), QStringLiteral("config.json")); }
// The trade-off table is what a run ends with that the window needs.
QString demo_run() { return beside_program(QStringLiteral("demo-run"), QStringLiteral("tradeoff.json")); }

}  // namespace ladimo::ui
