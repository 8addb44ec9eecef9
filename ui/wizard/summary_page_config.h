// Page 4: where the run goes, and the plan as the engine makes it.
#pragma once

#include <memory>
#include <optional>

#include "ui/engine/engine_process.h"
#include "ui/wizard/page_config.h"
#include "ui/wizard/plan_facts.h"

namespace ladimo::ui {

class SummaryPageConfig : public PageConfig {
  Q_OBJECT
 public:
  explicit SummaryPageConfig(Engine engine, QObject* parent = nullptr);

  /// What is to be done; names a folder for it as long as nobody chose one.
  void set_choices(const Recipe& recipe, const ModelConfig& model);
  /// The conversion begins: the same choices name the same folder again, and are planned anew, for layers of
  /// them may be finished by then.
  void begin();
  void set_run_folder(const QString& folder);
  const QString& run_folder() const { return run_; }

  /// Asks the engine for the plan, when it is not the one that is there or on its way.
  void make_plan();
  bool planning() const { return process_ != nullptr; }
  const std::optional<PlanFacts>& plan() const { return plan_; }
  /// What stands in the way, one sentence with its hint a line.
  QStringList problems() const;

  QStringList arguments(const QString& command) const;
  const Engine& engine() const { return engine_; }

  QString reason() const override;

 private:
  void forget_plan();
  void finish(const Outcome& outcome);
  /// Why a run that would go on is not the one that was chosen here; empty where it is.
  QString other_settings() const;

  Engine engine_;
  Recipe recipe_;
  ModelConfig model_;
  QString run_;
  bool chosen_ = false;  // by a person
  QString begun_run_;    // where
  QStringList begun_;    // what was begun
  QStringList planned_;  // arguments of the plan that is there or on its way
  std::optional<PlanFacts> plan_;
  QStringList failure_;  // why there is no plan
  std::unique_ptr<EngineProcess> process_;
};

/// A folder that does not exist yet, named after the model and its experts; on another machine a name
/// relative to the home folder there.
QString proposed_run_folder(const Recipe& recipe, const Engine& engine);

}  // namespace ladimo::ui
