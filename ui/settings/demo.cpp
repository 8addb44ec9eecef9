#include "ui/settings/demo.h"

#include <QDir>
#include <QFileInfo>
#include <QStandardPaths>

#include "base/error.h"
#include "checkpoint/hub_cache.h"
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

Smollm2 Smollm2::of_program() {
  const QString name = QStringLiteral("smollm2.sh"), folder = beside_program({}, name);
  return {folder.isEmpty() ? QString() : folder + '/' + name,
          QStandardPaths::writableLocation(QStandardPaths::AppDataLocation) +
              QStringLiteral("/SmolLM2-135M-Instruct.Q4_1.gguf")};
}

QString Smollm2::model() const {
  if (QFileInfo(file).isFile()) return file;
  try {
    return QString::fromStdString(find_model(hub_name).string());
  } catch (const Refusal&) {
    return {};  // it is in no cache, or not whole
  }
}

}  // namespace ladimo::ui
