#include "ui/models/save_file.h"

#include <QDir>
#include <QObject>
#include <QSaveFile>

namespace ladimo::ui {

QString save_file(const QString& path, const QByteArray& bytes) {
  QSaveFile file(path);
  if (file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size() && file.commit()) return {};
  return not_saved(path, file.errorString());
}

QString not_saved(const QString& path, const QString& reason) {
  return QObject::tr("%1 could not be saved: %2. Choose a writable folder with free space.")
      .arg(QDir::toNativeSeparators(path), reason);
}

}  // namespace ladimo::ui
