// An opened run kept loaded in one `ladimo serve` process: generation and measuring without waiting for the
// model to load each time.
#pragma once

#include <memory>
#include <optional>

#include <QObject>
#include <QStringList>

#include "base/events.h"
#include "policy/policy_file.h"
#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"

namespace ladimo::ui {

/// Starts the process at the first request and again after it died; requests are carried out one after
/// another. Every request gets a number of its own, with which its signals come.
class ServeClient : public QObject {
  Q_OBJECT
 public:
  /// `model`: the folder of a run or model, as the engine's machine names it.
  ServeClient(Engine engine, QString model, QObject* parent = nullptr);
  ~ServeClient() override;

  struct Generation {
    QString prompt;
    int max_tokens = 128;
    double temperature = 0;
    qint64 seed = 0;  // of the draws, with a temperature above 0
    bool dense = true;
    bool converted = true;
    std::optional<Policy> policy;  // none: the run's own
  };
  int generate(const Generation& request);
  /// No `text`: the run's checking split. `tokens` 0: all there are.
  int evaluate(const std::optional<Policy>& policy, const QStringList& text = {}, qint64 tokens = 0);
  int bench(const std::optional<Policy>& policy);
  /// Writes RUN/policy.json, or RUN/policies/NAME.json.
  int save_policy(const Policy& policy, const QString& name = {});
  /// The request ends as canceled; others go on. While the model is loading it ends at once, and the process
  /// with the last of them.
  void cancel(int request);
  /// Where the run's dense original lies, when it is not where it was. Heard by the next process.
  void set_original(const QString& folder);
  const QString& original() const;  // empty: where the run says
  /// Whether a request is waiting or being carried out.
  bool busy() const;
  /// Whether the model is loaded.
  bool loaded() const;
  /// Why a request is not being carried out yet; empty when it is.
  QString waits_for(int request) const;

 signals:
  /// What requests wait for has changed: the model was loaded, or a request before them ended.
  void moved_up();
  void token(int request, const ladimo::TokenEvent& event);
  void step(int request, const ladimo::StepEvent& event);
  void progress(int request, const ladimo::ProgressEvent& event);
  /// Exactly once for every request, also when the process dies. `outcome.output` holds the result's JSON;
  /// that of an evaluation of a run has the `measurement` that the run keeps of it. `outcome.warning`: what
  /// the engine warned of meanwhile.
  void finished(int request, const ladimo::ui::Outcome& outcome);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ladimo::ui
