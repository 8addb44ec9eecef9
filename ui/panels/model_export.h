// The card that lets the engine write the converted model into a folder.
#pragma once

#include <memory>

#include <QTemporaryDir>

#include "policy/policy_file.h"
#include "ui/engine/engine_process.h"
#include "ui/panels/export_card.h"

namespace ladimo::ui {

class PolicyEditor;
class ServeClient;

class ModelExport : public ExportCard {
  Q_OBJECT
 public:
  ModelExport(PolicyEditor& editor, ServeClient& serve, Engine engine, QWidget* parent = nullptr);

  /// Writes the model under the chosen policy; `folder` must be empty or not exist.
  void write(const QString& folder);
  bool writing() const { return saving_ != 0 || (job_ && job_->running()); }

 signals:
  /// The engine did not find the run's dense original.
  void original_missing();

 private:
  void ask_or_cancel();
  void save_there();
  void start(const QString& policy_file);
  void show_step(const StepEvent& event);
  void show_progress_of(const ProgressEvent& event);
  void finish(const Outcome& outcome);
  void show_result(const QByteArray& output);
  void end();

  PolicyEditor& editor_;
  ServeClient& serve_;
  Engine engine_;
  QTemporaryDir policies_;  // holds the policy while a local engine reads it
  std::unique_ptr<EngineProcess> job_;
  QString folder_;
  Policy policy_;   // policy of the model that is being written
  int saving_ = 0;  // request that puts the policy where a remote engine finds it; 0: none
};

}  // namespace ladimo::ui
