// A conversion that can be paused and continued: the engine process and its progress.
#pragma once

#include <memory>

#include <QElapsedTimer>
#include <QObject>
#include <QStringList>

#include "ui/engine/desktop.h"
#include "ui/engine/engine_process.h"
#include "ui/wizard/conversion_state.h"

namespace ladimo::ui {

class ConversionJob : public QObject {
  Q_OBJECT
 public:
  enum class Phase { ready, running, stopping, paused, failed, finished };

  explicit ConversionJob(Engine engine, QObject* parent = nullptr);
  ~ConversionJob() override;

  /// Sets what to do without starting it. `arguments` are those of `convert`.
  void prepare(const QStringList& arguments, const QString& run, ConversionState state);
  /// Starts the conversion, or continues it after a pause or a failure. Precondition: not running.
  void start();
  /// Stops the engine. Finished layers are kept, and start() continues.
  void pause();

  Phase phase() const { return phase_; }
  bool running() const { return phase_ == Phase::running || phase_ == Phase::stopping; }
  const ConversionState& state() const { return state_; }
  const QString& run() const { return run_; }
  /// How the engine ended last.
  const Outcome& outcome() const { return outcome_; }
  double now_s() const { return static_cast<double>(clock_.elapsed()) / 1000; }

 signals:
  void phase_changed();
  /// The run is complete with all its tables.
  void finished();

 private:
  void hear(const Event& event);
  void end(const Outcome& outcome);
  void set_phase(Phase phase);

  EngineProcess process_;
  QStringList arguments_;
  QString run_;
  ConversionState state_;
  Phase phase_ = Phase::ready;
  Outcome outcome_;
  QElapsedTimer clock_;
  std::unique_ptr<KeepAwake> awake_;
};

}  // namespace ladimo::ui
