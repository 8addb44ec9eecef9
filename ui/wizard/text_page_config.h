// Page 2: the calibration text, from files or written by the model itself.
#pragma once

#include <memory>
#include <optional>

#include <QStringList>
#include <QTimer>

#include "run/recipe.h"
#include "text/text_look.h"
#include "ui/engine/engine_process.h"
#include "ui/engine/worker.h"
#include "ui/wizard/model_facts.h"
#include "ui/wizard/page_config.h"

namespace ladimo::ui {

/// Reads local files itself and asks a remote engine about remote ones.
class TextPageConfig : public PageConfig {
  Q_OBJECT
 public:
  explicit TextPageConfig(Engine engine, QObject* parent = nullptr);

  void set_model(std::shared_ptr<const ModelFacts> model);
  /// Sets the tokens, held-out tokens, window and seed by which the text is split.
  void set_recipe(const Recipe& recipe);

  void set_self_text(bool self);
  bool self_text() const { return self_; }
  /// Why the model cannot write its own text; empty where it can, and while it is not known.
  QString why_no_self_text() const;
  void add_files(const QStringList& files);
  void remove_file(int index);
  const QStringList& files() const { return files_; }

  /// What the files hold; none while they are being read and for text that the model writes.
  const std::optional<TextLook>& look() const { return look_; }
  bool reading() const { return reader_.running() || still_.isActive() || asked_; }
  const Recipe& recipe() const { return recipe_; }
  struct Counts {
    std::int64_t tokens = 0;
    std::int64_t held_out_tokens = 0;
  };
  /// The token counts that the files could fill, if they have too few. Each fills at least one window.
  std::optional<Counts> fewer() const;
  const Engine& engine() const { return engine_; }

  QString reason() const override;

 private:
  void read();
  void read_here(const Recipe& recipe);
  void ask_engine();
  void accept_answer(const Outcome& outcome);
  void keep(const TextLook& look);
  Recipe recipe_of_files() const;

  Engine engine_;
  std::shared_ptr<const ModelFacts> model_;
  Recipe recipe_;
  bool self_ = false;
  QStringList files_;
  std::optional<TextLook> look_;
  Worker reader_;
  QTimer still_;  // delays the question to a remote engine until the settings stop changing
  std::unique_ptr<EngineProcess> asked_;
};

}  // namespace ladimo::ui
