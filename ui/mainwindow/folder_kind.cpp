#include "ui/mainwindow/folder_kind.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>

#include "base/error.h"
#include "checkpoint/gguf.h"
#include "checkpoint/hub_cache.h"
#include "run/run_folder.h"

namespace ladimo::ui {
namespace {

/// Whether the folder has no files of a model itself but one that is a model: a GGUF file, or a commit of a
/// model in the cache of the Hub.
bool leads_to_model(const QDir& folder) {
  const bool cached =
      folder.dirName().startsWith(QLatin1String("models--")) && folder.exists(QStringLiteral("snapshots"));
  return cached || !folder.entryList({QStringLiteral("*.gguf")}, QDir::Files).isEmpty();
}

}  // namespace

QString place_named(const QString& named) {
  const QString path = QDir(named).absolutePath();
  if (QFileInfo::exists(path)) return path;
  try {
    const QString found = QString::fromStdString(find_model(named.toStdString()).string());
    return QFileInfo::exists(found) ? found : path;
  } catch (const Refusal&) {
    return path;
  }
}

FolderKind kind_of(const QString& folder) {
  if (QFileInfo(folder).isFile())
    return is_gguf(folder.toStdString()) ? FolderKind::model : FolderKind::unknown;
  const QDir directory(folder);
  if (!directory.exists()) return FolderKind::missing;
  if (is_run(folder.toStdString())) return FolderKind::run;
  QFile config(directory.filePath(QStringLiteral("config.json")));
  if (!config.open(QIODevice::ReadOnly))
    return leads_to_model(directory) ? FolderKind::model : FolderKind::unknown;
  const QJsonObject keys = QJsonDocument::fromJson(config.readAll()).object();
  return keys[QLatin1String("model_type")].toString() == QLatin1String("ladimo") ? FolderKind::exported
                                                                                 : FolderKind::model;
}

}  // namespace ladimo::ui
