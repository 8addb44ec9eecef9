#include "ui/models/run_watch.h"

#include <QDir>
#include <QFileInfo>

#include "run/saved_policy.h"
#include "ui/models/policy_editor.h"
#include "ui/models/run_history.h"

namespace ladimo::ui {
namespace {

constexpr int settle_ms = 200;
constexpr int away_ms = 1000;  // how often to look whether a folder that is gone is back

QDateTime date_of(const std::filesystem::path& file) {
  return QFileInfo(QString::fromStdString(file.string())).lastModified();
}

RunFolder folder_of(const PolicyEditor& editor) { return RunFolder(editor.run().folder.toStdString()); }

}  // namespace

RunWatch::RunWatch(PolicyEditor& editor, QObject* parent)
    : QObject(parent), editor_(editor), history_(RunHistory::of(editor)) {
  settle_.setSingleShot(true);
  settle_.setInterval(settle_ms);
  if (!folder_of(editor_).exists()) return;
  tables_ = tables();
  watch();
  connect(&settle_, &QTimer::timeout, this, &RunWatch::look);
  for (const auto change : {&QFileSystemWatcher::directoryChanged, &QFileSystemWatcher::fileChanged})
    connect(&watcher_, change, &settle_, [this] {
      if (!settle_.isActive()) settle_.start();
    });
}

/// A replaced file, and a folder that was removed and made again, must be watched anew. Only the folder above
/// tells that the run's folder was moved.
void RunWatch::watch() {
  const QDir run(editor_.run().folder);
  for (const char* name : {"..", ".", "policies", "policy.json"})
    if (const QString path = QDir::cleanPath(run.filePath(QLatin1String(name))); QFileInfo::exists(path))
      watcher_.addPath(path);
}

void RunWatch::look() {
  if (tables_.isEmpty()) return;  // the folder was not there at the beginning
  const bool there = folder_of(editor_).exists();
  if (there == history_.gone()) {
    history_.set_gone(!there);
    there ? emit back() : emit gone();
  }
  settle_.setInterval(there ? settle_ms : away_ms);
  if (!there) return settle_.start();
  watch();
  const std::set<QString> policies = replaced();
  history_.set_replaced(policies);
  const QList<Difference> found = differences(policies);
  QStringList fresh;
  for (const Difference& difference : found)
    if (!told_.contains(difference)) fresh << difference.what;
  told_ = found;
  if (!fresh.isEmpty()) emit changed(fresh);
}

QList<QDateTime> RunWatch::tables() const {
  const RunFolder run = folder_of(editor_);
  return {date_of(run.recipe_file()), date_of(run.tradeoff_file())};
}

/// The policies whose files are not as this window knows them, by their names; the run's policy has none.
std::set<QString> RunWatch::replaced() const {
  const RunFolder run = folder_of(editor_);
  std::set<QString> names;
  for (const std::string& name : run.policy_names()) names.insert(QString::fromStdString(name));
  for (const auto& [name, policy] : history_.policies()) names.insert(name);
  std::erase_if(names,
                [&](const QString& name) { return holds(run, name.toStdString(), history_.expected(name)); });
  if (!holds(run, {}, history_.expected({}))) names.insert(QString());
  return names;
}

QList<RunWatch::Difference> RunWatch::differences(const std::set<QString>& policies) const {
  const RunFolder run = folder_of(editor_);
  QList<Difference> found;
  for (const QString& name : policies)
    found << (name.isEmpty()
                  ? Difference{tr("the run's policy"), date_of(run.policy_file())}
                  : Difference{tr("“%1”").arg(name), date_of(run.named_policy_file(name.toStdString()))});
  const QList<QDateTime> now = tables();
  if (now != tables_) found << Difference{tr("the run's tables"), now.last()};
  return found;
}

}  // namespace ladimo::ui
