// The settings and actions that hints refer to. A hint says {tokens}; the command line shows --tokens, and
// the window shows the label of the field.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ladimo {

enum class Setting {
  // settings of a conversion
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
  target,  // the format that the run is made for
  sensitivity,
  recipe,
  sample,  // the layer whose partition is drawn
  // settings of every command
  seed,
  threads,
  device,
  memory,
  // settings of commands that open a run or model
  policy,
  dense,
  run_text,  // where the text files of a run are now
  output,    // where a file or folder is to be written
  // settings that choose a policy
  tradeoff,
  activated,
  ffn_activated,
  max_kl,
  speedup,
  cost,
  pin,
  batch,    // sequences that are decoded at a time
  context,  // tokens before the one that is decoded
  // settings of generation
  prompt,
  max_tokens,
  temperature,
  // settings of commands that hold the whole model
  hold,
  // settings of an export
  format,
  gguf,    // the precision of a GGUF file
  fit,     // layers are fitted to what the format can say
  finish,  // passes of training after a fit
  all_policies,
  // settings of a comparison
  methods,
  seeds,
  held_out,
  keep,
  csv,
};
inline constexpr int setting_count = static_cast<int>(Setting::csv) + 1;

/// What a hint can tell the user to do. It is worded as an imperative: "Make one: {choose_policy}."
enum class Action {
  continue_run,    // run the conversion command again, which continues where it stopped
  new_conversion,  // convert a model
  choose_policy,   // choose a routing policy for the run
  inspect_model,   // examine a checkpoint
  export_again,    // write a model folder again
};
inline constexpr int action_count = static_cast<int>(Action::export_again) + 1;

/// The id in the braces of a hint and in JSON, such as "held_out_tokens".
const char* id_of(Setting setting);
const char* id_of(Action action);
/// The setting that has this id; absent when there is none.
std::optional<Setting> setting_with_id(std::string_view id);

/// How one surface names settings and actions.
struct Lexicon {
  std::function<std::string(Setting)> setting;
  std::function<std::string(Action)> action;
};
/// How the command line names them: "--tokens", "run `ladimo inspect MODEL`".
const Lexicon& command_line();

/// Returns `hint` with every id in braces replaced by the words of `lexicon`. Braces around anything else
/// stay. Only hints contain ids: a message says what happened and is the same on every surface.
std::string in_words(std::string_view hint, const Lexicon& lexicon);
/// The setting that a hint is about, which is the first one that it names.
std::optional<Setting> setting_in(std::string_view hint);

}  // namespace ladimo
