#include "run/run_text.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"

namespace ladimo {
namespace {

void require_unchanged(const Recipe& recipe) {
  for (std::size_t i = 0; i < recipe.text.size(); ++i) {
    const auto& file = recipe.text[i];
    if (i < recipe.text_fingerprints.size() && hash_of_file(file) != recipe.text_fingerprints[i])
      throw Refusal(fmt::format("{} has changed since the run was made: its held-out part is unknown.",
                                file.filename().string()),
                    "Name text with {text} that the run was not calibrated on.", file);
  }
}

}  // namespace

std::vector<std::filesystem::path> held_out_files(const RunFolder& run, const Recipe& recipe) {
  return recipe.self_text() ? std::vector{run.self_held_out()} : recipe.text;
}

Split held_out_text(const RunFolder& run, const Recipe& recipe, const Tokenizer& tokenizer) {
  require_unchanged(recipe);
  auto size = recipe.splits();
  size.calibration = 0;
  return split_corpus(held_out_files(run, recipe), tokenizer, recipe.window, size, recipe.seed);
}

Split self_written_text(const RunFolder& run, const Recipe& recipe, const Tokenizer& tokenizer) {
  Split split = held_out_text(run, recipe, tokenizer);
  split.calibration =
      split_corpus({run.self_calibration()}, tokenizer, recipe.window, {recipe.tokens, 0, 0}, recipe.seed)
          .calibration;
  return split;
}

}  // namespace ladimo
