// The text of a run: where its files are, and its splits.
#pragma once

#include "run/run_folder.h"
#include "text/corpus.h"

namespace ladimo {

/// Where the text files of a run are now, in the order of its recipe: each is known by its content and is
/// looked for among the files `named`, then where the recipe says, then beside the run folder (both may have
/// been moved together). Throws Refusal for every file that is in none of these places or has changed, and
/// for every named file that is another text. `how` ends the hint: it says how to name the place.
std::vector<std::filesystem::path> text_files(const RunFolder& run, const Recipe& recipe,
                                              const std::vector<std::filesystem::path>& named,
                                              const std::string& how);

/// The run's two held-out splits as its conversion cuts them; `calibration` is empty. `files` are those of
/// held_out_files(). Throws Refusal when they cannot be cut.
Split held_out_text(const std::vector<std::filesystem::path>& files, const Recipe& recipe,
                    const Tokenizer& tokenizer);

/// All splits of a run whose model has written its own text.
Split self_written_text(const RunFolder& run, const Recipe& recipe, const Tokenizer& tokenizer);

/// All splits of a run as its conversion cuts them. `named` as text_files() has it. Throws Refusal like
/// text_files(), and when the text that the model wrote is missing.
Split whole_text(const RunFolder& run, const Recipe& recipe, const std::vector<std::filesystem::path>& named,
                 const Tokenizer& tokenizer);

/// The files of the run's held-out text: the recipe's, wherever text_files() finds them, or the one that the
/// model wrote. Throws Refusal like text_files(), and when the model's text is missing.
std::vector<std::filesystem::path> held_out_files(const RunFolder& run, const Recipe& recipe,
                                                  const std::vector<std::filesystem::path>& named = {});

}  // namespace ladimo
