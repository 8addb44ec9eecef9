// Page 4: the folder of the run and the engine's plan.
#pragma once

#include <memory>
#include <optional>

#include "run/plan.h"
#include "ui/engine/engine_process.h"
#include "ui/wizard/page_config.h"

namespace ladimo::ui {

class SummaryPageConfig : public PageConfig {
  Q_OBJECT
 public:
  explicit SummaryPageConfig(Engine engine, QObject* parent = nullptr);

  /// Sets what to convert and how. Proposes a folder unless the person has chosen one.
  void set_choices(const Recipe& recipe, const ModelConfig& model);
  /// Records that the conversion begins. The same choices will propose the same folder again, but need a new
  /// plan, because some layers may be finished by then.
  void begin();
  void set_run_folder(const QString& folder);
  const QString& run_folder() const { return run_; }

  /// Asks the engine for the plan, unless it is there or on its way.
  void make_plan();
  bool planning() const { return process_ != nullptr; }
  const std::optional<Plan>& plan() const { return plan_; }
  /// The reasons against the plan, one line each with its hint.
  QStringList problems() const;

  QStringList arguments(const QString& command) const;
  const Engine& engine() const { return engine_; }

  QString reason() const override;

 private:
  void forget_plan();
  void finish(const Outcome& outcome);
  /// How the run in the folder differs from the choices; empty where it does not.
  QString other_settings() const;

  Engine engine_;
  Recipe recipe_;
  ModelConfig model_;
  QString run_;
  bool chosen_ = false;  // a person has chosen the folder
  QString begun_run_;    // folder of the last conversion that began
  QStringList begun_;    // arguments of the last conversion that began
  QStringList planned_;  // arguments of the plan that is there or on its way
  std::optional<Plan> plan_;
  QStringList failure_;  // why there is no plan
  std::unique_ptr<EngineProcess> process_;
};

/// A folder that does not exist yet, named after the model and its experts. On another machine it is relative
/// to the home folder.
QString proposed_run_folder(const Recipe& recipe, const Engine& engine);

}  // namespace ladimo::ui
