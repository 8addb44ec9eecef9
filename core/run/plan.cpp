#include "run/plan.h"

#include <algorithm>
#include <limits>
#include <thread>

#include <fmt/format.h>

#include "base/files.h"
#include "base/format.h"
#include "run/estimate.h"
#include "run/memory_use.h"
#include "run/preflight.h"
#include "run/run_folder.h"

namespace ladimo {
namespace {

// bf16 is chosen where it multiplies so many times faster. Rounding to it costs a little accuracy and time.
constexpr double worthwhile_gain = 1.5;

/// Makes the steps of a plan with their descriptions. Steps whose files the run folder already holds are
/// done.
class Steps {
 public:
  Steps(const Plan& plan, const Workload& work)
      : plan_(plan), run_(plan.run), time_(time_estimate(work)), all_done_(exists(run_.tradeoff_file())) {}

  int layers_left() const {
    return static_cast<int>(std::ranges::count_if(
        plan_.recipe.layers, [&](int layer) { return !plan_.resumes || !run_.layers().done(layer); }));
  }
  bool text_left() const {
    return plan_.recipe.self_text() &&
           !(plan_.resumes && exists(run_.self_calibration()) && exists(run_.self_held_out()));
  }

  std::vector<PlanStep> list() const {
    std::vector<PlanStep> steps = {text(), layers()};
    if (plan_.recipe.stage1.second_sweep) steps.push_back(second_sweep());
    if (plan_.finish_tokens > 0) steps.push_back(finish());
    for (PlanStep& table : tables()) steps.push_back(std::move(table));
    return steps;
  }

 private:
  std::vector<PlanStep> tables() const {
    return {{Step::routing_profile,
             plan_.recipe.layers.empty()
                 ? "Measure the sizes of inputs and neurons in every layer."
                 : "Measure the distribution of routing weights in every converted layer, which experts run "
                   "together, and the thresholds in the converted model.",
             time_.profile, done(exists(run_.profile_file()) && all_done_)},
            {Step::sensitivity, "Measure how each candidate policy of each layer changes the predictions.",
             time_.sensitivity, done(all_done_)},
            {Step::latency,
             "Measure the time per token on this machine, dense and with different amounts skipped.",
             time_.latency, done(exists(run_.latency_file()))},
            {Step::frontier, "Find policies for all layers together and measure some points of the frontier.",
             time_.frontier, done(all_done_)}};
  }

  PlanStep second_sweep() const {
    const bool swept =
        std::ranges::all_of(plan_.recipe.layers, [&](int layer) { return run_.layers().sweep_done(layer); });
    return {Step::second_sweep,
            "Refit the layers once more, one by one, half on inputs from the original and half from the "
            "converted model; kept if the validation loss falls.",
            time_.second_sweep, done(swept)};
  }

  PlanStep finish() const {
    const int block = plan_.recipe.finish.block;
    const std::string what =
        block == 0 ? "Train all converted layers together on the predictions"
        : block == 1
            ? "Train the converted layers one at a time on the hidden states of the original"
            : fmt::format("Train the converted layers {} at a time on the hidden states of the original",
                          block);
    return {Step::finish,
            fmt::format("{}, {} times over {} calibration tokens; kept if the validation loss falls.", what,
                        plan_.recipe.finish.epochs,
                        plan_.finish_tokens < plan_.tokens ? std::to_string(plan_.finish_tokens) : "the"),
            time_.finish, done(exists(run_.layers().finish_file()) || all_done_)};
  }

  bool done(bool found) const { return plan_.resumes && found; }

  PlanStep text() const {
    const Recipe& recipe = plan_.recipe;
    if (recipe.self_text())
      return {Step::calibration_text,
              fmt::format("The model generates {} calibration tokens and {} held-out tokens.",
                          format_count(static_cast<double>(recipe.tokens)),
                          format_count(static_cast<double>(recipe.held_out_tokens))),
              time_.text, !text_left()};
    return {Step::calibration_text,
            fmt::format("{} calibration tokens in {} windows, and {} held-out tokens, from {} {}.",
                        format_count(static_cast<double>(plan_.tokens)), plan_.windows,
                        format_count(static_cast<double>(recipe.held_out_tokens)), recipe.text.size(),
                        recipe.text.size() == 1 ? "file" : "files"),
            time_.text, false};
  }

  PlanStep layers() const {
    const Recipe& recipe = plan_.recipe;
    const auto converted = static_cast<int>(recipe.layers.size());
    const int left = layers_left();
    if (recipe.layers.empty())
      return {Step::layers, "No FFN is split into experts. Every layer can skip inputs and neurons.", 0,
              all_done_};
    const int passed = recipe.layers.back() + 1 - left;
    return {Step::layers,
            fmt::format("Split the FFNs of {} of {} layers into {} experts each, {} shared: partition, "
                        "router, compensation, refit, distillation{}.",
                        converted, plan_.config.layers, recipe.experts, recipe.shared,
                        left < converted ? fmt::format(" ({} are finished)", converted - left) : ""),
            left * time_.converted_layer + (left > 0 ? passed * time_.passed_layer : 0), left == 0};
  }

  const Plan& plan_;
  RunFolder run_;
  StepSeconds time_;
  bool all_done_;
};

/// Fills in the steps and the estimates. The plan stays within `memory` bytes where that is possible.
void estimate(Plan& plan, int weight_bytes, int threads, std::uint64_t memory,
              const std::optional<Pace>& pace) {
  if (plan.recipe.compute == "auto")
    plan.recipe.compute = pace && pace->bf16_gain >= worthwhile_gain ? "bf16" : "fp32";
  const Workload work{plan.config, plan.recipe, plan.tokens, weight_bytes, threads, pace};
  if (plan.recipe.finish.block < 0) plan.recipe.finish.block = finish_block(work, memory);
  plan.measures_sensitivity = measures_sensitivity(work);
  plan.finish_tokens = finish_tokens(work);
  const Steps steps(plan, work);
  plan.steps = steps.list();
  for (const PlanStep& step : plan.steps) plan.seconds += step.done ? 0 : step.seconds;
  const auto uses = memory_uses(work);
  plan.stream_bytes = stream_budget(uses, memory);
  plan.ram_bytes = peak_memory(uses, plan.stream_bytes);
  plan.disk_bytes = static_cast<std::uint64_t>(steps.layers_left()) * layer_bytes(work) + table_bytes(work) +
                    (plan.recipe.stage1.second_sweep ? all_layers_bytes(work) : 0) +
                    (plan.finish_tokens > 0 ? finished_bytes(work) : 0) +
                    (steps.text_left() ? text_bytes(work) : 0) + scratch_bytes(uses, plan.stream_bytes);
}

/// Counts the windows of the calibration text. Self-written text does not exist yet, so the recipe's tokens
/// count.
void count_windows(Plan& plan) {
  plan.windows =
      plan.recipe.self_text() ? plan.recipe.tokens / plan.recipe.window : plan.text.calibration.count();
  plan.tokens = plan.windows * plan.recipe.window;
}

void check_machine(Plan& plan) {
  const auto bytes = [](std::uint64_t count) { return format_bytes(static_cast<double>(count)); };
  if (const auto free = free_disk_bytes(plan.run); plan.disk_bytes > free)
    plan.problems.push_back(
        {fmt::format("The run needs {} of disk space; {} are free.", bytes(plan.disk_bytes), bytes(free)),
         "Free some space, or choose a folder on another disk with {run}.", plan.run});
  if (const auto available = available_ram_bytes(); plan.ram_bytes > available)
    plan.problems.push_back({fmt::format("The run needs {} of memory; {} are available.",
                                         bytes(plan.ram_bytes), bytes(available)),
                             "Close other programs, or use a smaller {window}.",
                             {}});
}

}  // namespace

Plan make_plan(const ConvertRequest& request, const Context& context, const PaceOf& pace_of) {
  Preflight preflight(request, context);
  Plan plan = preflight.run();
  if (!preflight.can_estimate()) return plan;
  count_windows(plan);
  const auto pace = pace_of ? std::optional(pace_of(plan.config)) : std::nullopt;
  estimate(plan, preflight.weight_bytes(), engine_threads(request.threads),
           std::min(request.memory.value_or(usual_memory()), usual_memory()), pace);
  check_machine(plan);
  return plan;
}

std::uint64_t usual_memory() { return available_ram_bytes() / 10 * 9; }

int engine_threads(int asked) {
  if (asked < 0)
    throw Refusal(fmt::format("The number of threads is negative: {}.", asked),
                  "Set {threads} to 0 for all processors.");
  return asked > 0 ? asked : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

Plan sketch_plan(const ModelConfig& config, const Recipe& recipe, std::int64_t tokens, int weight_bytes,
                 int threads, const std::optional<Pace>& pace) {
  Plan plan;
  plan.config = config;
  plan.recipe = recipe;
  plan.windows = tokens / recipe.window;
  plan.tokens = plan.windows * recipe.window;
  estimate(plan, weight_bytes, threads, std::numeric_limits<std::uint64_t>::max(), pace);
  return plan;
}

}  // namespace ladimo
