// Page 3: the number of experts, and what the conversion takes.
#pragma once

#include <optional>

#include <QStringList>

#include "run/plan.h"
#include "ui/engine/engine.h"
#include "ui/wizard/conversion_arguments.h"
#include "ui/wizard/model_facts.h"
#include "ui/wizard/page_config.h"

namespace ladimo::ui {

class ExpertsPageConfig : public PageConfig {
  Q_OBJECT
 public:
  explicit ExpertsPageConfig(Engine engine, QObject* parent = nullptr);

  /// Sets the model. Another model begins with its own defaults.
  void set_model(std::shared_ptr<const ModelFacts> model);
  /// Sets the files of the calibration text. Without files the model writes its own text.
  void set_text(const QStringList& files);
  /// Sets the folder of the run, which determines how much disk is free.
  void set_run_folder(const QString& folder);
  const QString& run_folder() const { return run_; }

  /// The recipe, complete except for its fingerprints.
  const Recipe& recipe() const { return recipe_; }
  const std::shared_ptr<const ModelFacts>& model() const { return model_; }
  /// Changes any setting of the recipe except its layers and what it is made for. While the usual number of
  /// experts is shared, it stays the usual one when their number changes.
  template <class Change>
  void change(const Change& change) {
    const bool usual = recipe_.shared == usual_shared(recipe_);
    const int experts = recipe_.experts;
    change(recipe_);
    if (usual && recipe_.experts != experts) recipe_.shared = usual_shared(recipe_);
    update();
  }
  /// Sets the format that the run is made for (policy/moe_class.h); empty: any, with our own runtime. Without
  /// one the settings that it decided are again as they were.
  void set_target(const std::string& target);
  /// Sets the layers to convert: "all", or a list such as "0-3,7".
  void set_layers(const QString& layers);
  const QString& layers() const { return layers_; }

  /// Estimated memory, disk and time; none while the settings do not fit the model.
  const std::optional<Plan>& sketch() const { return sketch_; }
  bool pace_known_ = false;
  /// Whether the time in it is that of this machine. The review measures it.
  bool pace_known() const { return pace_known_; }
  /// The smallest (only shared experts on) and the largest share of the dense model's activated parameters
  /// that a sparse policy uses.
  struct Range {
    double least = 0, most = 0;
  };
  Range activated() const;
  /// Memory and disk of this machine; none where the engine runs on another.
  std::optional<std::uint64_t> available_ram() const { return ram_; }
  std::optional<std::uint64_t> free_disk() const { return disk_; }

  QString reason() const override;

 private:
  void update();
  int weight_bytes() const;
  QString settings_reason() const;
  QString machine_reason() const;

  Engine engine_;
  std::shared_ptr<const ModelFacts> model_;
  Recipe recipe_;
  Stage1 free_;  // before a format was chosen
  QString run_;
  QString layers_ = QStringLiteral("all");
  QString layers_problem_;
  std::optional<Plan> sketch_;
  std::optional<std::uint64_t> ram_, disk_;
};

}  // namespace ladimo::ui
