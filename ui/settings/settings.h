// Everything that is remembered between two starts: one table of keys.
#pragma once

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
inline const Key<QByteArray> workspace_columns{"workspace/columns", {}};  // splitters
inline const Key<QByteArray> workspace_rows{"workspace/rows", {}};
inline const Key<QByteArray> inspector_columns{"inspector/columns", {}};
inline const Key<QByteArray> inspector_rows{"inspector/rows", {}};
inline const Key<QByteArray> evaluation_columns{"evaluation/columns", {}};
inline const Key<QByteArray> evaluation_rows{"evaluation/rows", {}};
inline const Key<QByteArray> policies_columns{"policies/columns", {}};
inline const Key<bool> frontier_log{"plots/frontier_log", true};  // scales
inline const Key<bool> routing_log{"plots/routing_log", false};
inline const Key<QByteArray> distillation_columns{"wizard/distillation", {}};
inline const Key<QString> last_folder{"runs/last_folder", {}};  // where file dialogs begin
// As `recent` gives them: HOST:FOLDER where the engine is another machine.
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
  QSettings().setValue(QLatin1String(key.name), QVariant::fromValue(value));
}

/// The recent folders on a machine (`host` empty: this one), the last first.
QStringList recent(const Key<QStringList>& key, const QString& host);
/// Puts `folder` first; keeps the last ten of all machines.
void remember_recent(const Key<QStringList>& key, const QString& folder, const QString& host);
void forget_recent(const Key<QStringList>& key, const QString& folder, const QString& host);

/// Gives a splitter the state it had, and remembers it from now on.
void remember_splitter(QSplitter& splitter, const Key<QByteArray>& key);
/// Checks a button as it was, and remembers what a person makes of it from now on.
void remember_choice(QAbstractButton& button, const Key<bool>& key);

}  // namespace ladimo::ui
