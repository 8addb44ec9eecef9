// The table of everything that is remembered from one start to the next.
#pragma once

#include <utility>
#include <vector>

#include <QByteArray>
#include <QSettings>
#include <QString>
#include <QStringList>

class QAbstractButton;
class QSplitter;

namespace ladimo::ui {

template <class T>
struct Key {
  const char* name;
  T value_at_first;
};

namespace keys {
inline const Key<QString> engine_host{"engine/host", {}};  // empty: this machine
inline const Key<QString> remote_program{"engine/remote_program", QStringLiteral("ladimo")};
inline const Key<QByteArray> window_geometry{"window/geometry", {}};
inline const Key<QByteArray> workspace_columns{
    "workspace/columns", {}};  // state of a splitter, as are the other *_columns and *_rows
inline const Key<QByteArray> workspace_rows{"workspace/rows", {}};
inline const Key<QByteArray> inspector_columns{"inspector/columns", {}};
inline const Key<QByteArray> inspector_rows{"inspector/rows", {}};
inline const Key<QByteArray> evaluation_columns{"evaluation/columns", {}};
inline const Key<QByteArray> evaluation_rows{"evaluation/rows", {}};
inline const Key<QByteArray> policies_columns{"policies/columns", {}};
inline const Key<bool> tour_seen{"help/tour_seen", false};
inline const Key<bool> frontier_log{"plots/frontier_log", true};  // whether the axis is logarithmic
inline const Key<bool> routing_log{"plots/routing_log", false};
inline const Key<QByteArray> distillation_columns{"wizard/distillation", {}};
inline const Key<QString> last_folder{"runs/last_folder", {}};  // where file dialogs start
// Folders on this machine, or HOST:FOLDER on another.
inline const Key<QStringList> recent_runs{"runs/recent", {}};
inline const Key<QStringList> recent_models{"models/recent", {}};
}  // namespace keys

template <class T>
T remembered(const Key<T>& key) {
  return QSettings()
      .value(QLatin1String(key.name), QVariant::fromValue(key.value_at_first))
      .template value<T>();
}

template <class T>
void remember(const Key<T>& key, const T& value) {
  if (value == key.value_at_first)
    QSettings().remove(QLatin1String(key.name));  // so that what is stored was changed
  else
    QSettings().setValue(QLatin1String(key.name), QVariant::fromValue(value));
}

/// Name and value of every setting that is not as it was at first. Lists tell only how long they are, and
/// states of windows only that there is one.
std::vector<std::pair<QString, QString>> changed_settings();

/// The recent folders of a machine, the newest first. An empty `host` is this machine.
QStringList recent(const Key<QStringList>& key, const QString& host);
/// Puts `folder` first; keeps the last ten of all machines.
void remember_recent(const Key<QStringList>& key, const QString& folder, const QString& host);
void forget_recent(const Key<QStringList>& key, const QString& folder, const QString& host);

/// Restores the state of a splitter and remembers its changes.
void remember_splitter(QSplitter& splitter, const Key<QByteArray>& key);
/// Restores whether a button is checked and remembers when a person changes it.
void remember_choice(QAbstractButton& button, const Key<bool>& key);

}  // namespace ladimo::ui
