// Lets the engine write the converted model, in any format.
#pragma once

#include <memory>

#include <QObject>
#include <QTemporaryDir>

#include "policy/policy_file.h"
#include "ui/engine/engine_process.h"

namespace ladimo::ui {

class PolicyEditor;
class ServeClient;

class ExportJob : public QObject {
  Q_OBJECT
 public:
  struct Request {
    QString format = QStringLiteral("native");
    QString precision = {};  // of a GGUF file: "bf16"; empty: a folder
    bool fit = false;
    int finish = 0;            // passes of training after the fit
    QString path = {};         // must not exist yet
    QString policy_file = {};  // of the chosen policy, on a remote engine's machine; empty: it is saved there
  };

  /// All must outlive it.
  ExportJob(PolicyEditor& editor, ServeClient& serve, Engine engine, QObject* parent = nullptr);

  /// The arguments of `ladimo` that write the model, but for the policy.
  QStringList arguments(const Request& request) const;
  /// Writes the model under the chosen policy. Precondition: not running.
  void start(const Request& request);
  void cancel();
  bool running() const { return running_; }
  const Request& request() const { return request_; }
  /// The policy of the model that is written, or was written last.
  const Policy& policy() const { return policy_; }

 signals:
  /// What is being done: the step, how far it is and how long it takes.
  void said(const QString& words);
  /// `thousandths` < 0 means that nobody knows how far it is.
  void progressed(int thousandths);
  /// Emitted once for every start. `outcome.output` holds the result's JSON.
  void finished(const ladimo::ui::Outcome& outcome);

 private:
  void save_there();
  void accept_place(int request, const Outcome& outcome);
  void run(const QString& policy_file);
  void tell_step(const StepEvent& event);
  void tell_progress(const ProgressEvent& event);
  void fail(const Problem& problem);
  void end(const Outcome& outcome);

  PolicyEditor& editor_;
  ServeClient& serve_;
  Engine engine_;
  QTemporaryDir files_;  // holds the policy while a local engine reads it
  std::unique_ptr<EngineProcess> job_;
  Request request_;
  Policy policy_;
  QString step_;
  bool running_ = false;
  int saving_ = 0;  // request that puts the policy where a remote engine finds it; 0: none
};

}  // namespace ladimo::ui
