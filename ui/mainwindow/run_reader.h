// Reads a run in the background, with the engine's `show`.
#pragma once

#include <memory>

#include <QObject>

#include "ui/engine/engine_process.h"
#include "ui/engine/worker.h"
#include "ui/models/run_data.h"

namespace ladimo::ui {

class RunReader : public QObject {
  Q_OBJECT
 public:
  /// Starts reading. Destroying the reader stops it without a signal.
  RunReader(const Engine& engine, const QString& folder, QObject* parent = nullptr);

  bool running() const;
  /// Emits `failed` with a canceled outcome.
  void cancel();

 signals:
  void read(const std::shared_ptr<const ladimo::ui::RunData>& run);
  /// The folder holds no run that can be read, or the engine failed.
  void failed(const ladimo::ui::Outcome& outcome);

 private:
  void accept(const Outcome& outcome);

  QString folder_;
  EngineProcess process_;
  Worker parser_;
};

}  // namespace ladimo::ui
