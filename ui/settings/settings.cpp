#include "ui/settings/settings.h"

#include <QAbstractButton>
#include <QSplitter>

namespace ladimo::ui {
namespace {

constexpr int kept = 10;

QString entry_of(const QString& folder, const QString& host) {
  return host.isEmpty() ? folder : host + ':' + folder;
}

/// Whether an entry names a folder of this machine, which is an absolute path.
bool is_local(const QString& entry) { return entry.startsWith('/'); }

}  // namespace

std::vector<std::pair<QString, QString>> changed_settings() {
  const QSettings settings;
  std::vector<std::pair<QString, QString>> changed;
  for (const QString& name : settings.allKeys()) {
    const QVariant value = settings.value(name);
    const bool state = value.metaType() == QMetaType::fromType<QByteArray>();
    const bool list = value.metaType() == QMetaType::fromType<QStringList>();
    changed.emplace_back(name, state  ? QStringLiteral("changed")
                               : list ? QStringLiteral("%1 entries").arg(value.toStringList().size())
                                      : value.toString());
  }
  return changed;
}

QStringList recent(const Key<QStringList>& key, const QString& host) {
  QStringList folders;
  const QString start = host + ':';
  for (const QString& entry : remembered(key)) {
    if (host.isEmpty() && is_local(entry)) folders << entry;
    if (!host.isEmpty() && entry.startsWith(start)) folders << entry.mid(start.size());
  }
  return folders;
}

void remember_recent(const Key<QStringList>& key, const QString& folder, const QString& host) {
  QStringList entries = remembered(key);
  entries.removeAll(entry_of(folder, host));
  entries.prepend(entry_of(folder, host));
  remember(key, QStringList(entries.mid(0, kept)));
}

void forget_recent(const Key<QStringList>& key, const QString& folder, const QString& host) {
  QStringList entries = remembered(key);
  entries.removeAll(entry_of(folder, host));
  remember(key, entries);
}

void remember_splitter(QSplitter& splitter, const Key<QByteArray>& key) {
  splitter.restoreState(remembered(key));
  QObject::connect(&splitter, &QSplitter::splitterMoved, &splitter,
                   [&splitter, &key] { remember(key, splitter.saveState()); });
}

void remember_choice(QAbstractButton& button, const Key<bool>& key) {
  button.setChecked(remembered(key));
  QObject::connect(&button, &QAbstractButton::clicked, &button, [&key](bool on) { remember(key, on); });
}

}  // namespace ladimo::ui
