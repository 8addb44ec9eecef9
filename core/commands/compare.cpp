#include "commands/compare.h"

#include <cstdlib>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/format.h"
#include "commands/ablations.h"
#include "commands/contenders.h"
#include "commands/pace_measurement.h"
#include "evaluate/evaluation.h"
#include "run/estimate.h"
#include "run/model_check.h"
#include "run/preflight.h"
#include "run/run_folder.h"
#include "run/seen_text.h"
#include "run/step.h"

namespace ladimo {
namespace fs = std::filesystem;
namespace {

constexpr Grains only_experts{true, false, false};

/// Our method with some of the grains. Both use the same run.
const std::vector<Ours>& ours() {
  static const std::vector<Ours> both = {{"ladimo", only_experts}, {"ladimo-grains", {}}};
  return both;
}
constexpr double target_tolerance = 0.005;
constexpr double contaminated_share = 0.5;  // of held-out text: nothing is compared on it

/// The folder of our runs: one that is kept, or one that is removed after the comparison.
class RunsFolder {
 public:
  explicit RunsFolder(const std::optional<fs::path>& keep) : path_(keep.value_or(fs::path())) {
    if (keep) return;
    std::string name = (fs::temp_directory_path() / "ladimo-compare-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw Error("No temporary folder could be made for the runs.", "Choose a folder with {keep}.",
                  fs::temp_directory_path());
    path_ = temporary_ = name;
  }
  ~RunsFolder() {
    std::error_code ignored;
    if (!temporary_.empty()) fs::remove_all(temporary_, ignored);
  }
  RunsFolder(const RunsFolder&) = delete;
  RunsFolder& operator=(const RunsFolder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_, temporary_;
};

void check_methods(const CompareRequest& request) {
  const auto known = compare_methods();
  for (const auto& method : request.methods)
    if (std::ranges::find(known, method) == known.end())
      throw Refusal(fmt::format("There is no method called \"{}\".", method),
                    fmt::format("Choose {{methods}} from {}.", fmt::join(known, ", ")));
}

template <class T>
bool all_distinct(const std::vector<T>& values) {
  return std::set<T>(values.begin(), values.end()).size() == values.size();
}

void check_numbers(const CompareRequest& request) {
  for (const double target : request.targets)
    if (!(target > 0 && target < 1))
      throw Refusal(fmt::format("{} is not a share of the FFNs' parameters.", target),
                    "Set {ffn_activated} to numbers between 0 and 1, like 0.69,0.5.");
  if (!all_distinct(request.targets) || !all_distinct(request.seeds))
    throw Refusal("A seed or a share is named twice.", "Name each of {seeds} and of {ffn_activated} once.");
  if (request.targets.empty() || request.seeds.empty())
    throw Refusal("There is nothing to compare.", "Name at least one of {ffn_activated} and one of {seeds}.");
}

/// Throws Refusal when there is no text.
void check_text(const CompareRequest& request) {
  if (request.held_out.empty())
    throw Refusal("There is no text to measure on.", "Choose held-out files with {held_out}.");
  if (request.text.size() == 1 && request.text.front() == "self")
    throw Refusal("A comparison needs calibration text that all methods share.", "Choose files with {text}.");
}

class Compare {
 public:
  Compare(const CompareRequest& request, const Runtime& runtime, const Context& context)
      : request_(request),
        runtime_(runtime),
        context_(context),
        runs_(request.keep),
        first_plan_(plan_for(request.seeds.front(), nullptr)),
        source_(Checkpoint::open(first_plan_.recipe.model), runtime.device, at::kFloat),
        tokenizer_(load_tokenizer(source_.checkpoint().files(), model_tokens(first_plan_.config))) {
    choose_held_out();
    if (request.ablate) ablations_ = ablations(first_plan_.recipe);
    check_reach();
    check_kept_runs();
  }

  Comparison run() {
    context_.warn(first_plan_.warnings);
    const int per_seed =
        (with_ours() ? 1 : 0) + (opponents().empty() ? 0 : 1) + 1 + static_cast<int>(ablations_.size());
    steps_ = per_seed * static_cast<int>(request_.seeds.size());
    Comparison result;
    const Recipe& recipe = first_plan_.recipe;
    result.tokens = first_plan_.tokens;
    result.window = recipe.window;
    result.experts = recipe.experts;
    result.shared = recipe.shared;
    result.held_out_seen = mean_of(held_out_seen_);
    for (const auto seed : request_.seeds) measure(seed, contenders(seed), result);
    return result;
  }

 private:
  /// Cuts the held-out text, and refuses a file of which most is calibration text.
  void choose_held_out() {
    auto text =
        measured_text(request_.held_out, *tokenizer_, first_plan_.recipe.window, request_.held_out_tokens);
    held_out_ = std::move(text.windows);
    const SeenText seen = seen_text(request_.text, first_plan_.text, *tokenizer_, context_);
    for (std::size_t i = 0; i < request_.held_out.size(); ++i) {
      const auto& file = request_.held_out[i];
      const SeenShares shares = seen.shares(text.documents[i]);
      if (shares.seen.value_or(0) >= contaminated_share)
        throw Refusal(fmt::format("The held-out text is also calibration text: {} of {} is in it.",
                                  share_in_words(*shares.seen), file.filename().string()),
                      "Choose other files with {held_out}.", file);
      warn_of_seen(file.string(), shares, context_);
      held_out_seen_.push_back(shares);
    }
  }

  bool asked_for(std::string_view method) const {
    return request_.methods.empty() || std::ranges::find(request_.methods, method) != request_.methods.end();
  }
  std::vector<Ours> ours_asked_for() const {
    std::vector<Ours> methods;
    for (const Ours& one : ours())
      if (asked_for(one.name)) methods.push_back(one);
    return methods;
  }
  bool with_ours() const { return !ours_asked_for().empty(); }
  std::vector<const Baseline*> opponents() const {
    std::vector<const Baseline*> methods;
    for (const Baseline& baseline : baselines())
      if (asked_for(baseline.name)) methods.push_back(&baseline);
    return methods;
  }

  ConvertRequest request_for(std::uint64_t seed, const Ablation* ablation) const {
    ConvertRequest convert;
    convert.model = request_.model;
    convert.run = runs_.path() / run_name(seed, ablation);
    convert.text = request_.text;
    convert.tokens = request_.tokens;
    convert.window = request_.window;
    convert.experts = request_.experts;
    convert.shared = request_.shared;
    convert.layers = "all";
    convert.seed = seed;
    convert.memory = runtime_.memory;
    convert.recipe = request_.recipe;
    if (ablation != nullptr) {
      // The options must not overrule what the ablation sets.
      auto settings = request_.recipe ? read_settings(*request_.recipe) : nlohmann::json::object();
      if (request_.experts) settings["experts"] = *request_.experts;
      if (request_.shared) settings["shared"] = *request_.shared;
      convert.experts.reset();
      convert.shared.reset();
      convert.recipe = ablated(settings, *ablation).dump();
    }
    return convert;
  }

  Plan checked_plan(const ConvertRequest& convert) const {
    auto plan = make_plan(convert, context_, [&](const ModelConfig& config) {
      return pace_of_machine(config, runtime_, context_);
    });
    if (!plan.problems.empty()) throw Refusal(plan.problems);
    return plan;
  }
  Plan plan_for(std::uint64_t seed, const Ablation* ablation) const {
    return checked_plan(request_for(seed, ablation));
  }

  static std::string run_name(std::uint64_t seed, const Ablation* ablation) {
    auto name = fmt::format("seed-{}", seed);
    if (ablation == nullptr) return name;
    name += fmt::format("-{}", ablation->name);
    std::ranges::replace(name, ' ', '-');
    return name;
  }

  /// Refuses targets below what the layers that stay dense use, or our experts with none of them on.
  void check_reach() const {
    const ModelConfig& config = first_plan_.config;
    const double dense =
        1 - static_cast<double>(first_plan_.recipe.layers.size()) / static_cast<double>(config.layers);
    for (const double target : request_.targets)
      if (target <= dense)
        throw Refusal(
            fmt::format("{} of the FFNs' parameters is out of reach: the layers that stay dense take {}.",
                        target, format_number(dense)),
            "Ask for more with {ffn_activated}.");
    const Workload work{config, first_plan_.recipe, first_plan_.tokens};
    const auto ffns = static_cast<double>(config.ffn_parameters_per_layer() * config.layers);
    const auto others = static_cast<double>(config.activated_outside_ffns());
    const double least = (activated_estimate(work, 0) - others) / ffns;
    const bool experts_alone = asked_for(ours().front().name);
    for (const double target : request_.targets)
      if (experts_alone && target <= least)
        throw Refusal(
            fmt::format("{} of the FFNs' parameters is out of reach: the shared experts, the router and a "
                        "bias alone take {}.",
                        target, format_number(least)),
            "Ask for more with {ffn_activated}, or share fewer experts with {shared}.");
  }

  /// Checks the folders of all runs before hours of work go into the first.
  void check_kept_runs() const {
    for (const auto seed : request_.seeds) {
      check_kept_run(seed, nullptr);
      for (const auto& ablation : ablations_)
        if (ablation.has_own_run()) check_kept_run(seed, &ablation);
    }
  }

  /// A run that is continued must have the recipe that a new one would have. Without this check convert would
  /// take the settings that are not asked for from the run.
  void check_kept_run(std::uint64_t seed, const Ablation* ablation) const {
    auto convert = request_for(seed, ablation);
    const fs::path run = convert.run;
    if (!fs::exists(run)) return;
    if (!is_run(run))
      throw Refusal("The folder for a run of the comparison contains something else.",
                    "Choose another folder with {keep}.", run);
    convert.run += ".anew";  // nothing is written there
    convert.read_weights = false;
    const Recipe kept = RunFolder(run).recipe();
    Recipe anew = checked_plan(convert).recipe;
    // What depends on the machine was resolved when the run began.
    anew.compute = kept.compute;
    anew.finish.block = kept.finish.block;
    const auto lines = differences(kept, anew);
    if (!lines.empty())
      throw Refusal(fmt::format("A kept run has another recipe: {}.", fmt::join(lines, "; ")),
                    "Choose another folder with {keep}, or use the settings of that run.", run);
  }

  /// Reports a step. `ablation` is the name of an ablation with a space before it, or empty.
  void step(Step step, std::uint64_t seed, const std::string& ablation = {}) {
    context_.emit(begin_step(step, step_++, steps_, fmt::format("{}, seed {}", ablation, seed)));
  }

  std::vector<Contender> contenders(std::uint64_t seed) {
    const auto plan = seed == first_plan_.recipe.seed ? first_plan_ : plan_for(seed, nullptr);
    std::vector<Contender> all;
    const auto add = [&](std::vector<Contender> more) { std::ranges::move(more, std::back_inserter(all)); };
    if (const auto methods = opponents(); !methods.empty()) {
      step(Step::opponents, seed);
      add(make_opponents(source_, plan, methods, request_.targets, request_.experts, context_));
    }
    if (const auto methods = ours_asked_for(); !methods.empty()) {
      step(Step::ours, seed);
      add(make_ours(source_, plan, methods, request_.targets, runtime_, context_));
    }
    for (const auto& ablation : ablations_) {
      const auto name = fmt::format("{} {}", ours().front().name, ablation.name);
      step(Step::ours, seed, fmt::format(" {}", ablation.name));
      const auto own = ablation.has_own_run() ? plan_for(seed, &ablation) : plan;
      add(make_ours(source_, own, {{name, only_experts, ablation.kinds}}, request_.targets, runtime_,
                    context_));
    }
    return all;
  }

  void measure(std::uint64_t seed, const std::vector<Contender>& all, Comparison& result) {
    step(Step::measuring, seed);
    const auto scores = score(source_, scored_together(all), held_out_, context_);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto evaluation = summarise(scores, i);
      const auto numbers = measured_numbers(evaluation, scores.policies[i], source_.config());
      result.held_out_tokens = evaluation.tokens;
      result.dense_nll = evaluation.dense_nll;
      result.dense_perplexity = evaluation.dense_perplexity;
      result.rows.push_back({all[i].method, seed, all[i].target, numbers.ffn_activated,
                             numbers.activated_fraction, numbers.kl, evaluation.nll, numbers.perplexity,
                             evaluation.same_top, all[i].seconds});
      if (std::abs(numbers.ffn_activated - all[i].target) > target_tolerance)
        context_.warn(
            fmt::format("{} activates {} of the FFNs' parameters where {} were requested.", all[i].method,
                        format_number(numbers.ffn_activated), all[i].target),
            "This is the closest that was found on the calibration text; how much runs depends on the text.");
    }
  }

  const CompareRequest& request_;
  const Runtime& runtime_;
  const Context& context_;
  RunsFolder runs_;
  Plan first_plan_;
  WeightSource source_;
  std::unique_ptr<Tokenizer> tokenizer_;
  Windows held_out_;
  std::vector<SeenShares> held_out_seen_;  // by file
  std::vector<Ablation> ablations_;
  int step_ = 0, steps_ = 0;
};

}  // namespace

std::vector<std::string> compare_methods() {
  std::vector<std::string> names;
  for (const Ours& one : ours()) names.push_back(one.name);
  for (const Baseline& baseline : baselines()) names.emplace_back(baseline.name);
  return names;
}

Comparison compare(const CompareRequest& request, const Runtime& runtime, const Context& context) {
  check_methods(request);
  check_numbers(request);
  check_text(request);
  return Compare(request, runtime, context).run();
}

}  // namespace ladimo
