#include "run/preflight.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_text.h"
#include "base/path_problem.h"
#include "run/class_check.h"
#include "run/model_check.h"
#include "run/run_folder.h"
#include "run/run_text.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

// A text that the model writes itself has at most one window of tokens, and short texts are dropped
// (commands/self_text.cpp).
constexpr std::int64_t smallest_self_window = 32;

/// Whether the folder holds files that do not come from a run that stopped before its recipe was written.
bool holds_foreign_files(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (!entry.is_directory() && !entry.path().filename().string().starts_with(".")) return true;
  return false;
}

bool is_writable(fs::path path) {
  while (!path.empty() && !fs::exists(path) && path != path.parent_path()) path = path.parent_path();
  return ::access(path.empty() ? "." : path.c_str(), W_OK | X_OK) == 0;
}

bool is_self(const std::vector<fs::path>& text) { return text.size() == 1 && text.front() == "self"; }

}  // namespace

nlohmann::json read_settings(const fs::path& recipe) {
  if (!recipe.string().starts_with('{')) return read_json(recipe);
  try {
    return parse_json(recipe.string(), "The text of the recipe", {});
  } catch (const Refusal& refusal) {
    throw Refusal(
        refusal.problem().message,
        "Choose a file with {recipe}, or write for example {recipe} '{\"stage1\": {\"epochs\": 2}}'.");
  }
}

Preflight::Preflight(const ConvertRequest& request, const Context& context)
    : request_(request), context_(context) {}

Plan Preflight::run() {
  check_folder();
  check_model();
  attempt([&] { choose_settings(); });
  check_settings();
  check_text();
  check_same_recipe();
  return std::move(plan_);
}

void Preflight::problem(std::string message, std::string hint, fs::path path) {
  plan_.problems.push_back({std::move(message), std::move(hint), std::move(path)});
}

void Preflight::attempt(const std::function<void()>& work) {
  try {
    work();
  } catch (const Interrupted&) {
    throw;
  } catch (const Refusal& refusal) {
    const auto& all = refusal.problems();
    if (all.empty()) plan_.problems.push_back(refusal.problem());
    plan_.problems.insert(plan_.problems.end(), all.begin(), all.end());
  } catch (const Error& error) {
    plan_.problems.push_back(error.problem());
  }
}

void Preflight::check_folder() {
  if (request_.run.empty()) return problem("No run folder is given.", "Choose one with {run}.");
  const fs::path run = plan_.run = normal_path(request_.run);
  if (has_entry(run) && !fs::exists(run)) {  // a link to nothing
    plan_.problems.push_back(*folder_problem(run));
    return;
  }
  if (fs::exists(run) && !fs::is_directory(run))
    return problem("The run folder is a file.", "Choose another folder with {run}.", run);
  if (!is_writable(run))
    return problem("The run folder cannot be written to.", "Choose a folder of your own with {run}.", run);
  if (is_run(run))
    attempt([&] { in_run_ = RunFolder(run).recipe(); });
  else if (fs::exists(run) && holds_foreign_files(run))
    problem("The run folder contains other files and is not a run.",
            "Choose a new or empty folder with {run}.", run);
}

void Preflight::check_model() {
  auto [found, tokenizer, problems, warnings, constant_ffns] = ladimo::check_model(request_.model);
  plan_.config = std::move(found.config);
  plan_.warnings = std::move(warnings);
  for (const ConstantFfn& ffn : constant_ffns) plan_.constant_layers.push_back(ffn.layer);
  tokenizer_ = std::move(tokenizer);
  plan_.problems.insert(plan_.problems.end(), problems.begin(), problems.end());
  if (!found.opened) return;
  attempt([&] {
    refuse_converted(*found.opened);
    checkpoint_ = std::move(found.opened);
    if (!request_.read_weights) return;
    const auto bad = find_bad_weights(*checkpoint_, context_);
    plan_.problems.insert(plan_.problems.end(), bad.begin(), bad.end());
  });
}

void Preflight::choose_settings() {
  Recipe& recipe = plan_.recipe;
  if (in_run_) recipe = *in_run_;
  bool text_known = in_run_.has_value(), layers_known = text_known;
  if (request_.recipe) {
    // Settings that cannot be read may name a text.
    const bool in_run = std::exchange(text_known, true);
    attempt([&] {
      const auto file = read_settings(*request_.recipe);
      recipe = recipe_from_json(file, *request_.recipe, recipe);
      text_known = in_run || file.contains("text");
      layers_known = layers_known || file.value("layers", nlohmann::json()).is_array();
    });
  }
  if (request_.target && request_.target != "none")
    attempt([&] {
      const auto& target = moe_class_named(*request_.target);
      if (!in_run_ || in_run_->target != target.name) recipe = made_for(target, std::move(recipe));
    });
  recipe.model = normal_path(request_.model);
  recipe.model_fingerprint = checkpoint_ ? checkpoint_->fingerprint() : std::string();
  if (tokenizer_) recipe.tokenizer_fingerprint = tokenizer_->fingerprint();
  apply_flags(layers_known);
  choose_text(text_known);
}

void Preflight::apply_flags(bool layers_known) {
  Recipe& recipe = plan_.recipe;
  const ModelConfig& config = plan_.config;
  recipe.tokens = request_.tokens.value_or(recipe.tokens);
  recipe.held_out_tokens = request_.held_out_tokens.value_or(recipe.held_out_tokens);
  recipe.window = request_.window.value_or(recipe.window);
  recipe.experts = request_.experts.value_or(recipe.experts);
  recipe.shared = request_.shared.value_or(recipe.shared);
  recipe.seed = request_.seed.value_or(recipe.seed);
  recipe.sensitivity = request_.sensitivity.value_or(recipe.sensitivity);
  if (in_run_ && recipe.compute == "auto") recipe.compute = in_run_->compute;
  if (in_run_ && recipe.finish.block < 0) recipe.finish.block = in_run_->finish.block;
  if (recipe.window == 0 && !request_.window) recipe.window = default_window(config.max_positions);
  if (recipe.experts == 0 && !request_.experts)
    recipe.experts = default_experts(recipe, config.intermediate_size, config.layers);
  if (recipe.shared == -1 && !request_.shared) recipe.shared = default_shared(recipe.experts);
  if (!checkpoint_) return;
  layers_fit_ = layers_known && !request_.layers;
  if (!layers_fit_)
    attempt([&] {
      recipe.layers = parse_layers(request_.layers.value_or("all"), config.layers);
      layers_fit_ = true;
    });
  leave_out_constant_layers();
}

// There is nothing to distil in such a layer, and fitting it would fail.
void Preflight::leave_out_constant_layers() {
  std::vector<int>& layers = plan_.recipe.layers;
  const auto removed = std::erase_if(
      layers, [&](int layer) { return std::ranges::binary_search(plan_.constant_layers, layer); });
  if (removed == 0 || !layers.empty()) return;
  layers_fit_ = false;
  // Where it is so of all layers, check_model() has said it.
  if (std::ssize(plan_.constant_layers) < plan_.config.layers)
    problem(
        "No layer is left to convert: the FFNs of all chosen layers give the same output for every input.",
        "Choose other layers with {layers}.", plan_.recipe.model);
}

bool Preflight::continues_with(const std::vector<fs::path>& named) const {
  if (!in_run_ || in_run_->self_text() || in_run_->text_fingerprints.size() != in_run_->text.size())
    return false;
  if (named.empty()) return plan_.recipe.text == in_run_->text;
  return std::ranges::all_of(named, [&](const fs::path& file) {
    return !file_problem(file) && std::ranges::find(in_run_->text_fingerprints, hash_of_file(file)) !=
                                      in_run_->text_fingerprints.end();
  });
}

void Preflight::choose_text(bool known) {
  Recipe& recipe = plan_.recipe;
  std::vector<fs::path> named;
  for (const fs::path& file : request_.text) named.push_back(normal_path(file));
  if (!is_self(request_.text) && continues_with(named)) {
    recipe.text_fingerprints.clear();
    attempt([&] {
      recipe.text = text_files(RunFolder(plan_.run), *in_run_, named,
                               " with {text}. Without it, begin a new run in another folder with {run}.");
      recipe.text_fingerprints = in_run_->text_fingerprints;
    });
    return;
  }
  if (is_self(request_.text)) {
    recipe.text.clear();
  } else if (!request_.text.empty()) {
    recipe.text = named;
  } else if (!known) {
    problem("No calibration text is given.",
            "Choose files with {text}, or let the model generate text: {self_text}.");
  }
  recipe.text_fingerprints.clear();
  for (const fs::path& file : recipe.text)
    attempt([&] { recipe.text_fingerprints.push_back(hash_of_file(file)); });
}

void Preflight::check_settings() {
  const Recipe& recipe = plan_.recipe;
  const ModelConfig& config = plan_.config;
  const std::size_t before = plan_.problems.size();
  attempt([&] { engine_threads(request_.threads); });
  if (recipe.experts < 1)
    problem(fmt::format("{} experts were requested; there must be at least one.", recipe.experts),
            "For example {experts} 64.");
  else if (checkpoint_ && recipe.experts > config.intermediate_size)
    problem(fmt::format("{} experts were requested, but the FFNs have only {} neurons.", recipe.experts,
                        config.intermediate_size),
            fmt::format("Use at most {}; {} is the default here.", config.intermediate_size,
                        default_experts(recipe, config.intermediate_size, config.layers)));
  if (recipe.shared < 0)
    problem(fmt::format("The number of shared experts is negative: {}.", recipe.shared),
            "For example {shared} 16.");
  else if (recipe.experts >= 1 && recipe.shared >= recipe.experts)
    problem(fmt::format("With {} of {} experts shared, none is left to be routed.", recipe.shared,
                        recipe.experts),
            "Make {shared} less than {experts}.");
  if (recipe.window < 2 && checkpoint_)
    problem(fmt::format("A window of {} tokens leaves nothing to score.", recipe.window),
            "Set {window} to 2 or more; a few hundred are usual.");
  else if (checkpoint_ && recipe.window > config.max_positions)
    problem(fmt::format("A window of {} tokens is more than the model's {} positions.", recipe.window,
                        config.max_positions),
            fmt::format("Set {{window}} to {} or less.", config.max_positions));
  // Two windows at least: training and validation rows come from different windows, and so do the tables and
  // the check of predictions.
  for (const auto& [tokens, what, setting] :
       {std::tuple{recipe.tokens, "calibration", "{tokens}"},
        std::tuple{recipe.held_out_tokens, "held-out", "{held_out_tokens}"}})
    if (tokens < 2 * std::max<std::int64_t>(recipe.window, 1))
      problem(fmt::format("{} {} tokens do not fill two windows of {}.", tokens, what, recipe.window),
              fmt::format("Set {} to {} or more, or use a smaller {{window}}.", setting,
                          2 * std::max<std::int64_t>(recipe.window, 1)));
  if (checkpoint_ && !recipe.target.empty()) attempt([&] { check_target(); });
  if (recipe.sensitivity != "auto" && recipe.sensitivity != "measured" && recipe.sensitivity != "estimated")
    problem(fmt::format("\"{}\" is not a way to get the sensitivity.", recipe.sensitivity),
            "Set {sensitivity} to auto, measured or estimated.");
  for (const int layer : recipe.layers)
    if (checkpoint_ && layer >= config.layers)
      problem(fmt::format("The recipe names layer {}; the model has {} layers.", layer, config.layers),
              "Choose other layers with {layers}, or use another recipe.");
  settings_fit_ = plan_.problems.size() == before && layers_fit_;
}

void Preflight::check_target() {
  const Recipe& recipe = plan_.recipe;
  const MoeClass& target = moe_class_named(recipe.target);
  if (const auto reason = objection(target, plan_.config))
    return problem(fmt::format("{} cannot hold this model: it {}.", target.title, *reason),
                   "Convert for another format with {for}, or for none.", recipe.model);
  const auto dense = target.in_transformers.dense;
  const auto layers = static_cast<int>(plan_.config.layers),
             converted = static_cast<int>(recipe.layers.size());
  const bool last_ones = !recipe.layers.empty() && recipe.layers.front() == layers - converted;
  const bool fits = dense == DenseLayers::any       ? converted > 0
                    : dense == DenseLayers::leading ? last_ones
                                                    : converted == layers;
  if (fits || !layers_fit_) return;
  problem(fmt::format("{} cannot have these layers dense.", target.title),
          dense == DenseLayers::leading
              ? "Convert all layers from one on with {layers}."
              : "Convert all layers with {layers}, or convert for another format with {for}.");
}

void Preflight::check_self_text() {
  const auto window = plan_.recipe.window;
  if (plan_.config.bos < 0)
    problem("The model cannot generate a text of its own: its texts do not begin with a BOS token.",
            "Choose text files with {text}.");
  if (window < smallest_self_window)
    problem(fmt::format("A window of {} is too short for generated text.", window),
            fmt::format("Set {{window}} to {} or more, or choose text files with {{text}}.",
                        smallest_self_window));
}

void Preflight::check_text() {
  const Recipe& recipe = plan_.recipe;
  if (recipe.self_text() && checkpoint_) check_self_text();
  if (recipe.self_text() || !text_is_readable() || !tokenizer_ || !settings_fit_) return;
  attempt([&] {
    plan_.text = split_corpus(recipe.text, *tokenizer_, recipe.window, recipe.splits(), recipe.seed);
  });
}

void Preflight::check_same_recipe() {
  if (!in_run_ || !settings_fit_ || !checkpoint_ || !text_is_readable()) return;
  const auto lines = differences(*in_run_, plan_.recipe);
  plan_.resumes = lines.empty();
  if (plan_.resumes) return;
  const bool other_text = in_run_->text_fingerprints != plan_.recipe.text_fingerprints;
  problem(fmt::format("The run folder contains another recipe: {}.", fmt::join(lines, "; ")),
          other_text ? "To continue that run, choose the text that it was begun with ({text}), wherever it "
                       "is now. For other text, choose another folder with {run}."
                     : "Use the settings of that run, choose another folder with {run}, or remove this one.",
          plan_.run);
}

}  // namespace ladimo
