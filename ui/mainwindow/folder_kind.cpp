#include "ui/mainwindow/folder_kind.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>

#include "checkpoint/gguf.h"
#include "run/run_folder.h"

namespace ladimo::ui {

FolderKind kind_of(const QString& folder) {
  if (QFileInfo(folder).isFile())
    return is_gguf(folder.toStdString()) ? FolderKind::model : FolderKind::unknown;
  const QDir directory(folder);
  if (!directory.exists()) return FolderKind::missing;
  if (is_run(folder.toStdString())) return FolderKind::run;
  QFile config(directory.filePath(QStringLiteral("config.json")));
  if (!config.open(QIODevice::ReadOnly)) return FolderKind::unknown;
  const QJsonObject keys = QJsonDocument::fromJson(config.readAll()).object();
  return keys[QLatin1String("model_type")].toString() == QLatin1String("ladimo") ? FolderKind::exported
                                                                                 : FolderKind::model;
}

}  // namespace ladimo::ui
