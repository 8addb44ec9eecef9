// Page 2: the calibration text: files, or what the model writes itself.
#pragma once

#include <optional>

#include <QStringList>

#include "run/recipe.h"
#include "ui/engine/engine.h"
#include "ui/wizard/model_facts.h"
#include "ui/wizard/page_config.h"
#include "ui/wizard/text_facts.h"
#include "ui/wizard/worker.h"

namespace ladimo::ui {

class TextPageConfig : public PageConfig {
  Q_OBJECT
 public:
  explicit TextPageConfig(Engine engine, QObject* parent = nullptr);

  /// What the text is counted and cut for; the recipe decides tokens, held-out tokens, window and seed.
  void set_model(std::shared_ptr<const ModelFacts> model);
  void set_recipe(const Recipe& recipe);

  void set_self_text(bool self);
  bool self_text() const { return self_; }
  void add_files(const QStringList& files);
  void remove_file(int index);
  const QStringList& files() const { return files_; }

  /// What the files give; none while they are read, for self-written text, and where they lie on another
  /// machine.
  const std::optional<TextFacts>& facts() const { return facts_; }
  bool reading() const { return reader_.running(); }
  /// A window of the calibration split, token by token.
  std::vector<std::string> window(int index) const;
  int window_count() const;
  const Recipe& recipe() const { return recipe_; }
  /// Where the files have too few tokens: how many they could give. Both counts at least fill their windows.
  struct Fewer {
    std::int64_t tokens = 0;
    std::int64_t held_out_tokens = 0;
  };
  std::optional<Fewer> fewer() const;
  void take_fewer();
  const Engine& engine() const { return engine_; }

  QString reason() const override;

 signals:
  /// The person takes what the files give.
  void fewer_taken(const ladimo::ui::TextPageConfig::Fewer& fewer);

 private:
  void read();

  Engine engine_;
  std::shared_ptr<const ModelFacts> model_;
  Recipe recipe_;
  bool self_ = false;
  QStringList files_;
  std::optional<TextFacts> facts_;
  Worker reader_;
};

}  // namespace ladimo::ui
