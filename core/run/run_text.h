// The text of a run, cut into its splits.
#pragma once

#include "run/run_folder.h"
#include "text/corpus.h"

namespace ladimo {

/// The run's two held-out splits as its conversion cuts them; `calibration` is empty. Throws Refusal when the
/// text has changed since the conversion or is not written yet.
Split held_out_text(const RunFolder& run, const Recipe& recipe, const Tokenizer& tokenizer);

/// All splits of a run whose model has written its own text.
Split self_written_text(const RunFolder& run, const Recipe& recipe, const Tokenizer& tokenizer);

/// The files of the run's held-out text: the recipe's, or the one that the model wrote.
std::vector<std::filesystem::path> held_out_files(const RunFolder& run, const Recipe& recipe);

}  // namespace ladimo
