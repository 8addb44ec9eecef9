// One engine process, local or over ssh, that is read line by line. EngineProcess and ServeClient share it.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QTimer>

#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"

namespace ladimo::ui {

/// Delivers lines in slices of a few milliseconds, so that a flood of them never blocks the window. A slot
/// may destroy the object.
class LineProcess : public QObject {
  Q_OBJECT
 public:
  explicit LineProcess(Engine engine, QObject* parent = nullptr);
  /// Stops the process if it still runs, and kills it if that takes too long.
  ~LineProcess() override;

  /// Starts `ladimo ARGUMENTS`; returns at once. Precondition: not running.
  void start(const QStringList& arguments);
  void write(const QByteArray& line);
  /// Sends SIGTERM to a local process and end-of-file to a remote one. Kills it when that does not help
  /// within three seconds (remote: within the time that a slow connection may take).
  void stop();
  bool running() const;
  /// While an answer is expected, a remote process that is silent for longer than the patience is given up.
  /// ssh itself notices a dead connection, but not an engine that hangs.
  void expect_answer(bool expected);
  void set_patience(int ms) { silence_.setInterval(ms); }

 signals:
  void line(const QByteArray& line);
  /// Emitted once for every start, after all lines.
  void ended(const ladimo::ui::Ending& ending);

 private:
  void deliver();
  void finish(bool started);
  void give_up();
  void keep_last_words(const QByteArray& words);

  Engine engine_;
  QProcess process_;
  QTimer deliver_;  // a timer: queued calls would overtake clicks
  QTimer silence_;
  QTimer grace_;  // the time that a process has to stop
  QByteArray last_words_;
  Ending ending_;
  bool over_ = false;
};

}  // namespace ladimo::ui
