// A process of the engine, here or over ssh, as lines: what EngineProcess and ServeClient have in common.
#pragma once

#include <QElapsedTimer>
#include <QObject>
#include <QProcess>
#include <QTimer>

#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"

namespace ladimo::ui {

/// Hands lines over in slices of a few milliseconds, so that a flood of them never holds the window. Whoever
/// hears a signal may destroy the object.
class LineProcess : public QObject {
  Q_OBJECT
 public:
  explicit LineProcess(Engine engine, QObject* parent = nullptr);
  /// Stops the process if it still runs, and kills it when that takes long.
  ~LineProcess() override;

  /// Precondition: not running.
  void start(const QStringList& arguments);
  void write(const QByteArray& line);
  /// SIGTERM here, end-of-file on stdin when remote; killed when that does not help within three seconds
  /// (when remote, as long as a slow line may take).
  void stop();
  bool running() const;
  /// A remote process that is `expected` to speak and is silent for longer than its patience is given up.
  /// Over ssh only: a dead line is noticed by ssh itself, this is for a live one with nobody at its end.
  void expect_answer(bool expected);
  void set_patience(int ms) { silence_.setInterval(ms); }

 signals:
  void line(const QByteArray& line);
  /// Once for every start, after all lines.
  void ended(const ladimo::ui::Ending& ending);

 private:
  void deliver();
  void finish(bool started);
  void give_up();
  void keep_last_words(const QByteArray& words);

  Engine engine_;
  QProcess process_;
  QTimer deliver_;  // not a queued call: those would come before every click
  QTimer silence_;
  QTimer grace_;  // of a process that was told to stop
  QByteArray last_words_;
  Ending ending_;
  bool over_ = false;
};

}  // namespace ladimo::ui
