// Preflight and plan: every refusal and every estimate, before anything is written. `convert` carries out a
// Plan and `plan` prints it. Both use the same code, so a dry run shows exactly what a conversion would do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/config.h"
#include "run/pace.h"
#include "run/recipe.h"
#include "run/step.h"
#include "text/corpus.h"

namespace ladimo {

/// What the user asks for on the command line or in the wizard. Settings that are left out come from the
/// recipe of a run that is continued, from the `recipe` file, or from the defaults.
struct ConvertRequest {
  std::filesystem::path model;
  std::filesystem::path run;
  std::vector<std::filesystem::path> text;  // {"self"}: the model writes its own
  std::optional<std::int64_t> tokens;
  std::optional<std::int64_t> held_out_tokens;
  std::optional<std::int64_t> window;
  std::optional<int> experts;
  std::optional<int> shared;
  std::optional<std::string> layers;  // "all", "0-3,7"
  std::optional<std::string> target;  // the MoE class that the run is made for
  std::optional<std::uint64_t> seed;
  std::optional<std::string> sensitivity;
  /// A file with any of recipe.json's settings, or their JSON itself. The members above take precedence.
  std::optional<std::filesystem::path> recipe;
  std::optional<std::uint64_t> memory;  // limit in bytes for the engine; none: usual_memory()
  int threads = 0;                      // 0: all processors
  /// Whether all weights are searched for NaN and Inf. A preview need not, because the conversion will.
  bool read_weights = true;
};

struct PlanStep {
  Step step = Step::layers;
  std::string description;  // one sentence
  double seconds = 0;       // estimate
  bool done = false;        // already finished in the run folder
};

struct Plan {
  Recipe recipe;  // resolved
  ModelConfig config;
  std::filesystem::path run;
  bool resumes = false;               // the run folder holds exactly this recipe
  bool measures_sensitivity = false;  // otherwise sensitivity is estimated
  std::int64_t finish_tokens = 0;     // calibration tokens of the finish; 0: none
  Split text;                         // empty for self-written text
  std::vector<PlanStep> steps;
  std::int64_t tokens = 0;  // calibration tokens that whole windows give
  std::int64_t windows = 0;
  std::uint64_t ram_bytes = 0;       // peak memory of the engine
  std::uint64_t stream_bytes = 0;    // memory that streams may take; beyond it they go to scratch files
  std::uint64_t disk_bytes = 0;      // disk space that the run folder will still need
  double seconds = 0;                // estimate for the steps that are left
  std::vector<Problem> problems;     // empty when the plan can be carried out
  std::vector<int> constant_layers;  // layers of the model that stay dense (checkpoint/constant_ffn.h)
  std::vector<Problem> warnings;     // where files differ and which one is used; layers that stay dense
};

/// Says how fast this machine is with a model.
using PaceOf = std::function<Pace(const ModelConfig& config)>;

/// Checks everything, makes the estimates and writes nothing itself. Bad input is listed in `problems`, not
/// thrown. The times follow from `pace_of`, or from usual_pace() without it. Throws Interrupted.
Plan make_plan(const ConvertRequest& request, const Context& context, const PaceOf& pace_of = {});

/// Makes the estimates of a plan for settings that are still being chosen, by arithmetic alone: it reads no
/// file and refuses nothing. `recipe` is resolved and fits the config. `tokens` counts calibration tokens;
/// `weight_bytes`, `threads` and `pace` are as in Workload.
Plan sketch_plan(const ModelConfig& config, const Recipe& recipe, std::int64_t tokens, int weight_bytes,
                 int threads, const std::optional<Pace>& pace = {});
/// The memory in bytes that the engine stays within on this machine by default: 90 % of what is available.
std::uint64_t usual_memory();
/// The number of threads that the engine uses on this machine when `asked` are asked for; 0 asks for all
/// processors. Throws Refusal when `asked` is negative.
int engine_threads(int asked = 0);

/// Returns {resumes, steps[{name, description, seconds, done}], constant_layers[], tokens, windows,
/// ram_bytes, disk_bytes, seconds, partition, problems, warnings, recipe}.
nlohmann::json to_json(const Plan& plan);
/// Reads what to_json() writes. Members that it does not write (config, run, text and others) stay empty. So
/// does `recipe` when the plan has problems, because the recipe may then be incomplete. Throws Refusal that
/// names the key.
Plan plan_from_json(const nlohmann::json& json);

}  // namespace ladimo
