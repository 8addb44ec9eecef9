// timing.json: how long each step and layer took. It is kept apart from the results, because these have the
// same bytes every time.
#pragma once

#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "base/work.h"
#include "run/run_folder.h"
#include "run/step.h"

namespace ladimo {

/// What each step, each part of the layers' work and each layer took, by all commands that worked on the run.
struct RunTiming {
  std::map<std::string, Work> steps;  // by name_of(Step)
  std::map<std::string, Work> parts;  // of the step "layers", by name ("partition", "refit", ...)
  std::map<int, double> layers;       // seconds

  /// The seconds of all steps together.
  double total() const;
};

/// Reads timing.json. Entries that cannot be understood are left out, and so is a file that is missing or not
/// JSON, because no run should fail over its times.
RunTiming read_timing(const RunFolder& run);
/// Returns {steps{NAME: seconds}, step_flops{NAME: operations}, parts{}, part_flops{}, layers{"0": seconds}}.
nlohmann::json to_json(const RunTiming& timing);
RunTiming timing_from_json(const nlohmann::json& json);

/// Adds what a step took, and writes the file.
void add_work(const RunFolder& run, Step step, const Work& work);
/// Adds what a layer and the parts of its work took, and writes the file.
void add_work(const RunFolder& run, int layer, double seconds, const std::map<std::string, Work>& parts);

}  // namespace ladimo
