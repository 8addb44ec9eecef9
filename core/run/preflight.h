// Collects every refusal of `convert` before anything is written.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "checkpoint/checkpoint.h"
#include "run/inspection.h"
#include "run/plan.h"

namespace ladimo {

/// Reads what `--recipe` gives: a JSON file, or JSON in place of its name (the window has its settings in no
/// file). Throws Refusal when it cannot be read or is not JSON.
nlohmann::json read_settings(const std::filesystem::path& recipe);

class Preflight {
 public:
  Preflight(const ConvertRequest& request, const Context& context);

  /// Returns a plan with recipe, config, text and problems, but without steps and estimates. Throws
  /// Interrupted.
  Plan run();
  /// Whether model, folder and settings are known well enough for estimates.
  bool can_estimate() const { return checkpoint_.has_value() && settings_fit_ && !request_.run.empty(); }
  /// Bytes per parameter of a converted layer on disk. Precondition: can_estimate().
  int weight_bytes() const { return static_cast<int>(dtype_size(checkpoint_->converted_dtype())); }

 private:
  void check_folder();
  void check_model();
  void choose_settings();
  void choose_text(bool known);
  /// Whether the text is that of the run that is continued: none is named, or files that the run knows.
  bool continues_with(const std::vector<std::filesystem::path>& named) const;
  bool text_is_readable() const { return plan_.recipe.text_fingerprints.size() == plan_.recipe.text.size(); }
  void apply_flags(bool layers_known);
  void leave_out_constant_layers();
  void check_settings();
  void check_target();
  void check_self_text();
  void check_text();
  void check_same_recipe();

  void problem(std::string message, std::string hint, std::filesystem::path path = {});
  /// Does `work` and adds what it refuses to the problems.
  void attempt(const std::function<void()>& work);

  const ConvertRequest& request_;
  const Context& context_;
  Plan plan_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Recipe> in_run_;
  std::unique_ptr<Tokenizer> tokenizer_;
  bool layers_fit_ = false, settings_fit_ = false;
};

}  // namespace ladimo
