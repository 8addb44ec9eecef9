// Runs one engine job in a process of its own, so that the window neither waits for it nor dies with it.
#pragma once

#include <memory>
#include <vector>

#include <QObject>
#include <QStringList>

#include "base/events.h"
#include "ui/engine/engine.h"
#include "ui/engine/line_process.h"
#include "ui/engine/outcome.h"

namespace ladimo::ui {

/// Runs `ladimo ARGUMENTS --events` and emits its events in the order in which they arrive.
/// Destroying the object kills a running job without emitting `finished`.
class EngineProcess : public QObject {
  Q_OBJECT
 public:
  explicit EngineProcess(Engine engine = Engine::chosen(), QObject* parent = nullptr);

  /// Starts the job; returns at once. Precondition: not running.
  void start(const QStringList& arguments);
  /// Asks the job to stop (SIGTERM here, end-of-file on its stdin when remote), and kills it when it does not
  /// within three seconds.
  void cancel();
  bool running() const;
  /// Asks a job whose result is no longer wanted to stop, without waiting for its end. The job is destroyed
  /// once it has ended, at the latest together with `owner`. `job` may be null.
  static void dismiss(std::unique_ptr<EngineProcess> job, QObject& owner);
  /// How long a remote engine may be silent before the connection counts as lost.
  void set_patience(int ms) { process_.set_patience(ms); }

 signals:
  void step(const ladimo::StepEvent& event);
  void progress(const ladimo::ProgressEvent& event);
  void loss(const ladimo::LossEvent& event);
  void histogram(const ladimo::HistogramEvent& event);
  void sample(const ladimo::SampleEvent& event);
  void layer(const ladimo::LayerEvent& event);
  void token(const ladimo::TokenEvent& event);
  void measure(const ladimo::MeasureEvent& event);
  void warning(const ladimo::WarningEvent& event);
  /// Emitted exactly once for every start. `outcome.output` holds the result's JSON.
  void finished(const ladimo::ui::Outcome& outcome);

 private:
  void read(const QByteArray& line);
  void hear(const Event& event);
  void end(const Ending& ending);

  LineProcess process_;
  std::vector<ErrorEvent> errors_;
  QByteArray result_;
};

}  // namespace ladimo::ui
