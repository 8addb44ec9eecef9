// Keeps an open run loaded in one `ladimo serve` process, so that generating and measuring do not wait for
// the model to load each time.
#pragma once

#include <memory>
#include <optional>

#include <QObject>
#include <QStringList>

#include "base/events.h"
#include "policy/policy_file.h"
#include "run/saved_policy.h"
#include "ui/engine/engine.h"
#include "ui/engine/outcome.h"

namespace ladimo::ui {

/// Starts the process at the first request and again after it died. Requests are handled one after another.
/// Each has a number, which its signals carry.
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
    qint64 seed = 0;  // for sampling; unused at temperature 0
    bool dense = true;
    bool converted = true;
    std::optional<Policy> policy;  // none: the run's policy
  };
  int generate(const Generation& request);
  struct Measuring {
    std::optional<Policy> policy;  // none: the run's policy
    QStringList text = {};         // files; none: the run's checking split
    qint64 tokens = 0;             // of the text; 0: all of them
    QStringList tasks = {};        // files of questions
    bool tasks_only = false;       // measures no text
  };
  int evaluate(const Measuring& request);
  int bench(const std::optional<Policy>& policy);
  /// Writes RUN/policy.json, or RUN/policies/NAME.json; with `expected` not over anything else (a result then
  /// says "changed", run/saved_policy.h).
  int save_policy(const Policy& policy, const QString& name = {},
                  const std::optional<Expected>& expected = {});
  /// Ends this request as canceled; others go on. While the model is still loading, the request ends at once,
  /// and canceling the last one also stops the process.
  void cancel(int request);
  /// Tells where the run's dense original is now. Takes effect when the process starts again.
  void set_original(const QString& folder);
  /// The option that names the original to a command; none where it is the one in the run's recipe.
  QStringList original_option() const;
  /// Whether any request is waiting or in progress.
  bool busy() const;
  /// Whether the model is loaded.
  bool loaded() const;
  /// What the request is waiting for; empty when it is in progress.
  QString waits_for(int request) const;

 signals:
  /// The model was loaded or a request ended, so `waits_for` may have changed.
  void moved_up();
  void token(int request, const ladimo::TokenEvent& event);
  void step(int request, const ladimo::StepEvent& event);
  void progress(int request, const ladimo::ProgressEvent& event);
  /// Emitted exactly once for every request, even when the process dies. `outcome.output` holds the result's
  /// JSON, `outcome.measurement` what an evaluation measured, `outcome.warning` the warnings of the
  /// engine during the request.
  void finished(int request, const ladimo::ui::Outcome& outcome);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ladimo::ui
