#include "ui/settings/demo.h"

#include <QDir>
#include <QFileInfo>

#include "ui/settings/beside_program.h"

namespace ladimo::ui {
namespace {

/// The path of the first `folder` beside the program that holds `file`.
QString beside_program(const QString& folder, const QString& file) {
  for (const QString& place : places_beside_program()) {
    const QString path = QDir::cleanPath(place + folder);
    if (QFileInfo(path + '/' + file).isFile()) return path;
  }
  return {};
}

}  // namespace

QString demo_model() { return beside_program(QStringLiteral("demo"), QStringLiteral("config.json")); }
// A run without its trade-off table is not finished.
QString demo_run() { return beside_program(QStringLiteral("demo-run"), QStringLiteral("tradeoff.json")); }

}  // namespace ladimo::ui
