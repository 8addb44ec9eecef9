// What a person can set or do, under names that every surface words in its own way: a hint says {tokens}, the
// command line shows --tokens, the window shows the label of its field.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ladimo {

enum class Setting {
  // of a conversion
  model,
  run,
  text,
  self_text,  // the choice that the model writes its own text
  tokens,
  held_out_tokens,
  window,
  experts,
  shared,
  layers,
  sensitivity,
  recipe,
  sample,  // the layer whose partition is drawn
  // of every command
  seed,
  threads,
  device,
  memory,
  // of what opens a run or model
  policy,
  dense,
  output,  // where a file or folder is to be written
  // of the choice of a policy
  tradeoff,
  activated,
  ffn_activated,
  max_kl,
  speedup,
  cost,
  pin,
  // of generation
  prompt,
  max_tokens,
  temperature,
  // of an export
  format,
  all_policies,
  // of a comparison
  methods,
  seeds,
  held_out,
  keep,
  csv,
};
inline constexpr int setting_count = static_cast<int>(Setting::csv) + 1;

/// Worded as an imperative: "Make one: {choose_policy}."
enum class Action {
  continue_run,    // give the command of a conversion again, which goes on where it stopped
  new_conversion,  // convert a model
  choose_policy,   // choose a routing policy for the run
  inspect_model,   // have a checkpoint examined
  export_again,    // write a model folder anew
};
inline constexpr int action_count = static_cast<int>(Action::export_again) + 1;

/// As it stands in braces, and on the wire: "held_out_tokens".
const char* id_of(Setting setting);
const char* id_of(Action action);
/// Absent for what is no setting's id.
std::optional<Setting> setting_with_id(std::string_view id);

/// How one surface names settings and actions.
struct Lexicon {
  std::function<std::string(Setting)> setting;
  std::function<std::string(Action)> action;
};
/// "--tokens", "run `ladimo inspect MODEL`".
const Lexicon& command_line();

/// A hint with every id in braces put into words. Braces around anything else stay. Only hints hold ids: a
/// message says what happened, and is the same on every surface.
std::string in_words(std::string_view hint, const Lexicon& lexicon);
/// The setting that a hint is about: the first that it names.
std::optional<Setting> setting_in(std::string_view hint);

}  // namespace ladimo
