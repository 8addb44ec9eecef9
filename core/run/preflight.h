// Every refusal of `convert`, collected before anything is written.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "checkpoint/checkpoint.h"
#include "run/inspection.h"
#include "run/plan.h"

namespace ladimo {

/// Throws Refusal for a native model folder: only dense models are converted.
void refuse_converted(const Checkpoint& checkpoint);

/// What `--recipe` names: a file's JSON, or JSON that is written in its place (a window that chose the
/// settings has no file). Throws Refusal.
nlohmann::json read_settings(const std::filesystem::path& recipe);

/// Throws Refusal when the tokenizer has pieces that the embedding has no row for.
void refuse_foreign_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config,
                              const std::filesystem::path& model);

class Preflight {
 public:
  Preflight(const ConvertRequest& request, const Context& context);

  /// A plan with recipe, config, text and problems, but no steps and estimates. Throws Interrupted.
  Plan run();
  /// Whether model, folder and settings are known well enough for arithmetic.
  bool can_estimate() const { return checkpoint_.has_value() && settings_fit_ && !request_.run.empty(); }
  /// Per parameter of a converted layer as it will be stored.
  int weight_bytes() const { return static_cast<int>(dtype_size(checkpoint_->converted_dtype())); }

 private:
  void check_folder();
  void check_model();
  void choose_settings();
  void choose_text(bool known);
  void apply_flags();
  void check_settings();
  void check_tokenizer();
  void check_self_text();
  void check_text();
  void check_same_recipe();

  void problem(std::string message, std::string hint, std::filesystem::path path = {});
  /// Does `work`; what it refuses becomes problems.
  void attempt(const std::function<void()>& work);

  const ConvertRequest& request_;
  const Context& context_;
  Plan plan_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Recipe> in_run_;
  std::unique_ptr<Tokenizer> tokenizer_;
  bool settings_fit_ = false;
};

}  // namespace ladimo
