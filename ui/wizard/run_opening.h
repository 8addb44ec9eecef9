// Reads an interrupted run so that it can be continued.
#pragma once

#include <memory>
#include <optional>

#include <QObject>

#include "run/plan.h"
#include "ui/engine/engine_process.h"
#include "ui/wizard/conversion_state.h"

namespace ladimo::ui {

/// Asks the engine what the run holds (`show`), and then what is left to do (`plan`) unless a plan is given.
class RunOpening : public QObject {
  Q_OBJECT
 public:
  RunOpening(Engine engine, QString run);
  /// Opens a run whose plan is known. `arguments` are those of the `convert` that was planned.
  RunOpening(Engine engine, QString run, QStringList arguments, Plan plan);
  const QString& run() const { return run_; }
  void start();

 signals:
  /// `arguments` are those of the `convert` that continues the run.
  void opened(const QStringList& arguments, const ladimo::ui::ConversionState& state);
  void failed(const QString& sentence, const QString& hint);

 private:
  void ask(const QStringList& arguments, void (RunOpening::*answer)(const QByteArray&));
  void read_run_there(const QByteArray& json);
  void read_plan_there(const QByteArray& json);
  void finish(const Plan& plan);

  Engine engine_;
  QString run_;
  QStringList arguments_;
  std::optional<Plan> plan_;
  std::vector<LayerRecord> records_;
  std::unique_ptr<EngineProcess> process_;
};

}  // namespace ladimo::ui
