// One job of the engine in a process of its own: the window never waits and never dies with it.
#pragma once

#include <QObject>
#include <QProcess>
#include <QString>
#include <QStringList>

#include "ui/engine/outcome.h"

namespace ladimo::ui {

class EngineProcess : public QObject {
  Q_OBJECT
 public:
  explicit EngineProcess(QString program = beside_studio(), QObject* parent = nullptr);
  /// Kills the job if it still runs; `finished` is not emitted then.
  ~EngineProcess() override;

  /// The command line that was installed with this program.
  static QString beside_studio();

  /// Starts the job; returns at once. Precondition: not running.
  void start(const QStringList& arguments);
  /// Asks the job to stop (SIGTERM), and kills it when it does not within three seconds.
  void cancel();
  bool running() const;

 signals:
  /// Exactly once for every start.
  void finished(const ladimo::ui::Outcome& outcome);

 private:
  Outcome outcome();
  void fail_to_start(QProcess::ProcessError error);

  QString program_;
  QProcess process_;
  bool canceled_ = false;
};

}  // namespace ladimo::ui
