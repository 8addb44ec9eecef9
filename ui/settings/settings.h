// Everything that is remembered between two starts: one table of keys.
#pragma once

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

namespace ladimo::ui {

template <class T>
struct Key {
  const char* name;
  T value_at_first;
};

namespace keys {
inline const Key<QByteArray> window_geometry{"window/geometry", {}};
inline const Key<QString> last_folder{"runs/last_folder", {}};
inline const Key<QStringList> recent_runs{"runs/recent", {}};
}  // namespace keys

template <class T>
T remembered(const Key<T>& key) {
  return QSettings()
      .value(QLatin1String(key.name), QVariant::fromValue(key.value_at_first))
      .template value<T>();
}

template <class T>
void remember(const Key<T>& key, const T& value) {
  QSettings().setValue(QLatin1String(key.name), QVariant::fromValue(value));
}

/// Puts `run` first among the recent runs; keeps the last ten.
void remember_run(const QString& run);

}  // namespace ladimo::ui
