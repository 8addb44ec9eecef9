// Page 1: the checkpoint, and whether it can be converted.
#pragma once

#include "ui/engine/engine_process.h"
#include "ui/engine/worker.h"
#include "ui/wizard/check_list_model.h"
#include "ui/wizard/model_facts.h"
#include "ui/wizard/page_config.h"

namespace ladimo::ui {

/// Reads a local model itself and asks a remote engine about a remote one.
class ModelPageConfig : public PageConfig {
  Q_OBJECT
 public:
  explicit ModelPageConfig(Engine engine, QObject* parent = nullptr);

  /// Chooses the model: a folder, a GGUF file, or the name (ORG/NAME) or folder of a model in a cache of the
  /// Hub. Another local file stands for the folder that holds it.
  void set_model(const QString& typed);
  const QString& model() const { return model_; }
  /// Null until the model has been looked at.
  const std::shared_ptr<const ModelFacts>& facts() const { return facts_; }
  /// The rows of the checklist so far.
  std::vector<Check> checks() const;
  const Engine& engine() const { return engine_; }
  bool looking() const;

  QString reason() const override;

 private:
  QString in_full(const QString& typed) const;
  void look_here();
  void ask_engine();
  void accept(const ModelFacts& facts);
  void accept_answer(const Outcome& outcome);
  void refuse(const std::vector<Problem>& problems);
  void search_bad_weights();

  enum class Weights { unknown, running, sound };

  Engine engine_;
  QString model_;
  std::shared_ptr<const ModelFacts> facts_;
  std::vector<Problem> problems_;
  Weights weights_ = Weights::unknown;
  double searched_ = 0;  // share of the weights that were checked
  Worker reader_;
  Worker searcher_;
  std::unique_ptr<EngineProcess> inspection_;
};

}  // namespace ladimo::ui
