#include "ui/models/personal.h"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include <QDir>
#include <QRegularExpression>
#include <QSysInfo>

#include "ui/settings/settings.h"

namespace ladimo::ui {
namespace {

/// A machine's name with and without its domain, and the user before an @.
QStringList parts_of_host(const QString& host) {
  const QString machine = host.section('@', -1);
  return {machine, machine.section('.', 0, 0)};
}

void replace_words(QString& text, QStringList words, const QString& stand_in) {
  words.removeAll(QString());
  std::ranges::sort(words, std::greater(), &QString::size);  // a name may be the beginning of another
  for (const QString& word : words)
    text.replace(
        QRegularExpression(QStringLiteral("(?<![\\w])%1(?![\\w])").arg(QRegularExpression::escape(word)),
                           QRegularExpression::CaseInsensitiveOption),
        stand_in);
}

/// Keeps the last part of every absolute path, except in folders that are the same on every machine. Folders
/// may have spaces in their names, so that what lies between two paths on a line is lost too.
void shorten_paths(QString& text) {
  static const QRegularExpression path(QStringLiteral(
      "(?<![\\w.~…/])(~?)/(?!(?:usr|lib|lib64|bin|proc|sys|dev)/)(?=\\S)(?:[^\\n/\"'“”:,;()]+/)+"));
  text.replace(path, QStringLiteral("\\1…/"));
}

}  // namespace

Personal Personal::here() {
  Personal found{QDir::homePath(),
                 {qEnvironmentVariable("USER"), qEnvironmentVariable("LOGNAME")},
                 parts_of_host(QSysInfo::machineHostName()),
                 {}};
  if (const passwd* entry = ::getpwuid(::getuid())) {
    found.users << QString::fromLocal8Bit(entry->pw_name);
    found.users << QString::fromLocal8Bit(entry->pw_gecos).section(',', 0, 0);
  }
  const QString host = remembered(keys::engine_host);
  found.hosts << parts_of_host(host);
  if (host.contains('@')) found.users << host.section('@', 0, 0);
  for (const auto& key : {keys::recent_runs, keys::recent_models})
    for (const QString& entry : remembered(key))
      found.folders << (entry.startsWith('/') ? entry : entry.section(':', 1));
  found.folders << remembered(keys::last_folder);
  return found;
}

QString without(const Personal& personal, QString text) {
  QStringList folders = personal.folders;
  folders.removeAll(QString());
  folders.removeDuplicates();
  std::ranges::sort(folders, std::greater(), &QString::size);
  int number = 0;
  for (const QString& folder : folders) {
    if (QDir(folder).isRoot()) continue;
    const QRegularExpression whole(
        QStringLiteral("(?<!\\w)%1(?!\\w)").arg(QRegularExpression::escape(folder)));
    if (!text.contains(whole)) continue;
    text.replace(whole, QStringLiteral("“folder %1”").arg(++number));
  }
  if (personal.home.size() > 1) text.replace(personal.home, QStringLiteral("~"));
  static const QRegularExpression mail(QStringLiteral("[\\w.+-]+@[\\w-]+(?:\\.[\\w-]+)+"));
  static const QRegularExpression address(QStringLiteral("(?<![\\w.])\\d{1,3}(?:\\.\\d{1,3}){3}(?![\\w.])"));
  text.replace(mail, QStringLiteral("MAIL"));
  text.replace(address, QStringLiteral("ADDRESS"));
  shorten_paths(text);
  replace_words(text, personal.hosts, QStringLiteral("HOST"));
  replace_words(text, personal.users, QStringLiteral("USER"));
  return text;
}

}  // namespace ladimo::ui
