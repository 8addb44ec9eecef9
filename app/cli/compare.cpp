#include <fstream>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "commands.h"
#include "commands/compare.h"
#include "model_options.h"

namespace ladimo::cli {
namespace {

/// Only the table of an earlier comparison, or an empty file, may be overwritten.
void refuse_bad_csv(const std::filesystem::path& file) {
  namespace fs = std::filesystem;
  if ((fs::exists(file) && !fs::is_regular_file(file)) ||
      (file.has_parent_path() && !fs::is_directory(file.parent_path())))
    throw Refusal("The table cannot be written there.", "Choose a file in a folder that exists with {csv}.",
                  file);
  std::string heading;
  std::ifstream in(file);
  if (std::getline(in, heading) && heading + '\n' != to_csv({}))
    throw Refusal("A file of that name exists and is not the table of a comparison.",
                  "Choose another name with {csv}.", file);
}

/// Returns false if the table cannot be written; the results are printed all the same.
bool write_table(const std::filesystem::path& file, const Comparison& comparison, const Context& context) {
  try {
    write_file(file, to_csv(comparison.rows));
    return true;
  } catch (const Error& error) {
    context.warn(fmt::format("{} ({})", error.problem().message, file.string()), error.problem().hint);
    return false;
  }
}

std::string with_spread(const MeanSpread& number) {
  if (!number.spread) return format_number(number.mean);
  return fmt::format("{} ± {}", format_number(number.mean), format_number(*number.spread));
}

void print_table(const Comparison& comparison, double target) {
  fmt::print("\n{} of the FFNs' parameters requested\n", target);
  fmt::print("{:<32} {:>9}  {:<20} {:>8} {:>11}  {}\n", "method", "activated", "KL (nats/token)", "nll +",
             "perplexity", "made in");
  for (const ComparisonSummary& entry : summary_of(comparison.rows)) {
    if (entry.target != target) continue;
    // The sign ± has two bytes but one column.
    fmt::print("{:<32} {:>9.3f}  {:<{}} {:>8} {:>11}  {}\n", entry.method, entry.ffn_activated.mean,
               with_spread(entry.kl), entry.kl.spread ? 21 : 20,
               format_number(entry.nll.mean - comparison.dense_nll), format_number(entry.perplexity.mean),
               format_seconds(entry.seconds.mean));
  }
}

void print(const Comparison& comparison, const std::vector<double>& targets) {
  fmt::print(
      "{} calibration tokens · measured on {} held-out tokens, window {} · ours: {} experts, {} shared · "
      "dense: nll {}, perplexity {}\n",
      comparison.tokens, comparison.held_out_tokens, comparison.window, comparison.experts, comparison.shared,
      format_number(comparison.dense_nll), format_number(comparison.dense_perplexity));
  for (const double target : targets) print_table(comparison, target);
}

}  // namespace

Command add_compare(CLI::App& app) {
  struct Options {
    CompareRequest request;
    std::optional<std::filesystem::path> csv;
  };
  auto options = std::make_shared<Options>();
  auto& request = options->request;
  add_model_argument(app, request.model, "The dense model: a folder, a GGUF file or ORG/NAME from the Hub");
  app.add_option("--text", request.text, "Calibration text: files (.txt, .jsonl)")
      ->required()
      ->type_name("FILE");
  app.add_option("--held-out", request.held_out, "Text to measure on")->required()->type_name("FILE");
  app.add_option("--tokens", request.tokens, "Calibration tokens (100000)");
  app.add_option("--held-out-tokens", request.held_out_tokens,
                 "Tokens to measure on (as many as the smallest file has)");
  app.add_option("--window", request.window, "Tokens per window (min(max positions, 2048))");
  app.add_option("--experts", request.experts,
                 "Experts per FFN for every method (each method's own default)");
  app.add_option("--shared", request.shared, "Shared experts, for methods that have them");
  app.add_option("--recipe", request.recipe, "JSON file with settings");
  app.add_option("--methods", request.methods,
                 fmt::format("Any of {} (all)", fmt::join(compare_methods(), ", ")))
      ->delimiter(',');
  app.add_option("--ffn-activated", request.targets, "Shares of the FFNs' parameters (0.69,0.5)")
      ->delimiter(',');
  auto* seeds = app.add_option("--seeds", request.seeds, "Seeds, one comparison for each (0)")
                    ->delimiter(',')
                    ->check(whole_number);
  app.add_flag("--ablate", request.ablate,
               "Also run without each step of our method, and with the optional one, one at a time");
  app.add_option("--keep", request.keep,
                 "Keep our runs in this folder, so that the same command can continue");
  app.add_option("--csv", options->csv, "Write the rows to this file");
  return [options, seeds](const Session& session) {
    auto asked = options->request;
    if (seeds->count() == 0 && session.common.seed) asked.seeds = {*session.common.seed};
    if (options->csv) refuse_bad_csv(*options->csv);
    const auto runtime = start_runtime(session.common.threads, session.common.device, session.common.memory);
    const auto comparison = compare(asked, runtime, session.context);
    const bool written = !options->csv || write_table(*options->csv, comparison, session.context);
    session.output.result(to_json(comparison), [&] { print(comparison, asked.targets); });
    return written ? 0 : 1;
  };
}

}  // namespace ladimo::cli
