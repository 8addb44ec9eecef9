// Notices when another program changes or removes the folder of an open run.
#pragma once

#include <set>

#include <QDateTime>
#include <QFileSystemWatcher>
#include <QObject>
#include <QStringList>
#include <QTimer>

namespace ladimo::ui {

class PolicyEditor;
class RunHistory;

/// For a run of this machine. What this window saves itself is in the run's history and is no change. A
/// folder that was not there at the beginning is not watched.
class RunWatch : public QObject {
  Q_OBJECT
 public:
  explicit RunWatch(PolicyEditor& editor, QObject* parent = nullptr);
  /// Looks now. The system does not report every change, for example on a network file system.
  void look();

 signals:
  void gone();
  void back();
  /// Other programs changed these things since they were told last: "the run's policy", "“calm”", "the
  /// tables".
  void changed(const QStringList& what);

 private:
  /// The state of something in the folder, told once each time that it changes.
  struct Difference {
    QString what;
    QDateTime since;
    bool operator==(const Difference&) const = default;
  };
  std::set<QString> replaced() const;
  QList<Difference> differences(const std::set<QString>& policies) const;
  QList<QDateTime> tables() const;
  void watch();

  PolicyEditor& editor_;
  RunHistory& history_;
  QFileSystemWatcher watcher_;
  QTimer settle_;  // a program writes several files one after another
  QList<QDateTime> tables_;
  QList<Difference> told_;
};

}  // namespace ladimo::ui
