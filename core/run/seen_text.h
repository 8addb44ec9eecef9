// What a run has seen of text, and how much of another text that is. A model looks better than it is on text
// that it was fitted to, also where the text was copied, cut or written in another format.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/context.h"
#include "run/seen_shares.h"
#include "text/corpus.h"
#include "text/text_sketch.h"

namespace ladimo {

/// Sketches of the text of a run.
struct SeenText {
  TextSketch files;                              // 8 MB at most
  TextSketch calibration{std::size_t{1} << 18};  // 2 MB at most
  TextSketch held_out{std::size_t{1} << 18};     // 2 MB at most

  /// How much of the documents is in each sketch.
  SeenShares shares(std::span<const std::string> documents) const;
};

/// Sketches `files`, and the tokens that `split` took from them. Throws Refusal when a file cannot be read,
/// Interrupted.
SeenText seen_text(const std::vector<std::filesystem::path>& files, const Split& split,
                   const Tokenizer& tokenizer, const Context& context);

/// The text of windows that follow each other, one by one.
std::vector<std::string> texts_of(const Windows& windows, const Tokenizer& tokenizer);

/// Writes the sketches as write_file() does. Throws Error.
void write_seen_text(const std::filesystem::path& file, const SeenText& seen);
/// Reads what write_seen_text() wrote. Absent when there is no such file. Throws Refusal when it is damaged.
std::optional<SeenText> read_seen_text(const std::filesystem::path& file);

}  // namespace ladimo
