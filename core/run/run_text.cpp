#include "run/run_text.h"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/path_problem.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

/// Finds files by their content.
class Places {
 public:
  explicit Places(const std::vector<fs::path>& named) : named_(named) {}

  /// The file with this content among those that were named, else among `others`; empty where there is none.
  fs::path of(const std::string& fingerprint, const std::vector<fs::path>& others) {
    for (const auto& files : {named_, others})
      for (const fs::path& file : files)
        if (hash_of(file) == fingerprint) return file;
    return {};
  }

 private:
  /// Empty when the file cannot be read.
  const std::string& hash_of(const fs::path& file) {
    const auto [found, is_new] = hashes_.emplace(file, "");
    if (is_new && !file_problem(file)) found->second = hash_of_file(file);
    return found->second;
  }

  const std::vector<fs::path>& named_;
  std::map<fs::path, std::string> hashes_;
};

/// Why the file of a run is not at its recorded place.
Problem missing(const fs::path& file, const std::string& how) {
  if (!has_entry(file))
    return {fmt::format("A text file of this run was not found: {}.", file.string()),
            "Put it back, or give its current path" + how, file};
  if (auto problem = file_problem(file)) return {problem->message, problem->hint, file};
  return {fmt::format("A text file of this run has changed since the run was made: {}.", file.string()),
          "Put the old file back, or give an unchanged copy" + how, file};
}

}  // namespace

std::vector<fs::path> text_files(const RunFolder& run, const Recipe& recipe,
                                 const std::vector<fs::path>& named, const std::string& how) {
  if (recipe.text_fingerprints.size() != recipe.text.size()) return recipe.text;  // an early version's
  Places places(named);
  std::vector<fs::path> files;
  std::vector<Problem> problems;
  for (const fs::path& file : named) {
    if (auto problem = file_problem(file))
      problems.push_back(*problem);
    else if (std::ranges::find(recipe.text_fingerprints, hash_of_file(file)) ==
             recipe.text_fingerprints.end())
      problems.push_back({fmt::format("{} is not the text of the run.", file.string()),
                          "Use the files that the run was made with. Their names do not matter.", file});
  }
  const fs::path beside = normal_path(run.path()).parent_path();
  for (std::size_t i = 0; i < recipe.text.size(); ++i) {
    const fs::path& recorded = recipe.text[i];
    files.push_back(places.of(recipe.text_fingerprints[i], {recorded, beside / recorded.filename()}));
    if (files.back().empty()) problems.push_back(missing(recorded, how));
  }
  if (!problems.empty()) throw Refusal(problems);
  return files;
}

std::vector<fs::path> held_out_files(const RunFolder& run, const Recipe& recipe,
                                     const std::vector<fs::path>& named) {
  if (!recipe.self_text())
    return text_files(run, recipe, named,
                      " with {run_text}. Or choose other text to measure on with {text}.");
  if (!has_entry(run.self_held_out()))
    throw Refusal("The run does not contain the text that its model generated.",
                  "To generate it again, {continue_run}. Or choose text to measure on with {text}.",
                  run.self_held_out());
  return {run.self_held_out()};
}

Split held_out_text(const std::vector<fs::path>& files, const Recipe& recipe, const Tokenizer& tokenizer) {
  auto size = recipe.splits();
  size.calibration = 0;
  return split_corpus(files, tokenizer, recipe.window, size, recipe.seed);
}

Split whole_text(const RunFolder& run, const Recipe& recipe, const std::vector<fs::path>& named,
                 const Tokenizer& tokenizer) {
  if (recipe.self_text()) return self_written_text(run, recipe, tokenizer);
  const auto files = text_files(run, recipe, named, " with {run_text}.");
  return split_corpus(files, tokenizer, recipe.window, recipe.splits(), recipe.seed);
}

Split self_written_text(const RunFolder& run, const Recipe& recipe, const Tokenizer& tokenizer) {
  Split split = held_out_text(held_out_files(run, recipe), recipe, tokenizer);
  split.calibration =
      split_corpus({run.self_calibration()}, tokenizer, recipe.window, {recipe.tokens, 0, 0}, recipe.seed)
          .calibration;
  return split;
}

}  // namespace ladimo
