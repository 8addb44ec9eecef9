// Preflight and plan: every refusal and every estimate, before anything is written. `convert` carries out a
// Plan, `plan` prints it: the same code, so a dry run cannot lie.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/context.h"
#include "base/error.h"
#include "checkpoint/config.h"
#include "run/recipe.h"
#include "run/step.h"
#include "text/corpus.h"

namespace ladimo {

/// What a person asks for on the command line or in the wizard. What is left out comes from the recipe of a
/// run that is continued, from the `recipe` file, or from the defaults.
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
  std::optional<std::uint64_t> seed;
  std::optional<std::string> sensitivity;
  std::optional<std::filesystem::path>
      recipe;  // a file with any of recipe.json's settings, or their JSON itself; the flags above win
  std::optional<std::uint64_t> memory;  // bytes that the engine should stay within; usual_memory()
  int threads = 0;                      // of the processor; 0: all
  bool read_weights = true;  // false: only a look is wanted, and the conversion will search them all anyway
};

struct PlanStep {
  Step step = Step::layers;
  std::string description;  // one sentence
  double seconds = 0;       // estimate
  bool done = false;        // found finished in the run folder
};

struct Plan {
  Recipe recipe;  // resolved
  ModelConfig config;
  std::filesystem::path run;
  bool resumes = false;               // the folder holds this very recipe
  bool measures_sensitivity = false;  // else it is estimated
  std::int64_t finish_tokens = 0;     // calibration tokens of the end-to-end finish; 0: none
  Split text;                         // empty for self-written text
  std::vector<PlanStep> steps;
  std::int64_t tokens = 0;  // calibration tokens that whole windows give
  std::int64_t windows = 0;
  std::uint64_t ram_bytes = 0;     // peak of the engine
  std::uint64_t stream_bytes = 0;  // of it, what streams may take before they go to scratch files
  std::uint64_t disk_bytes = 0;    // that the run folder will still need
  double seconds = 0;              // estimate of what is left
  std::vector<Problem> problems;   // empty: may run
};

/// Checks everything and estimates; writes nothing and never throws for bad input: it lists all of it in
/// `problems`. Throws Interrupted.
Plan make_plan(const ConvertRequest& request, const Context& context);

/// The same estimates for settings that are still being chosen, by arithmetic alone: no file is looked at and
/// nothing is refused. `recipe` is resolved and fits the config; the numbers as in Workload.
Plan sketch_plan(const ModelConfig& config, const Recipe& recipe, std::int64_t tokens, int weight_bytes,
                 int threads);
/// Memory that the engine stays within on this machine unless it is told otherwise: most of what is free.
std::uint64_t usual_memory();
/// Threads that the engine works with on this machine when `asked` for that many; 0: all processors. Throws
/// Refusal when negative.
int engine_threads(int asked = 0);

/// {resumes, steps[{name, description, seconds, done}], tokens, windows, ram_bytes, disk_bytes, seconds,
/// partition, problems, recipe}.
nlohmann::json to_json(const Plan& plan);
/// What JSON does not hold (config, run, text and the like) is left empty, and so is the recipe of a plan
/// with problems, which may be half of one. Throws Refusal with the key.
Plan plan_from_json(const nlohmann::json& json);

}  // namespace ladimo
