// timing.json: how long each step and layer took. It is kept apart from the results, because these have the
// same bytes every time.
#pragma once

#include <chrono>
#include <map>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "run/run_folder.h"
#include "run/step.h"

namespace ladimo {

/// Seconds spent on each step and layer, by all commands that worked on the run.
struct RunTiming {
  std::map<std::string, double> steps;  // by name_of(Step)
  std::map<int, double> layers;

  /// The seconds of all steps together.
  double total() const;
};

/// Reads timing.json. Entries that cannot be understood are left out, and so is a file that is missing or not
/// JSON, because no run should fail over its times.
RunTiming read_timing(const RunFolder& run);
/// Returns {steps{NAME: seconds}, layers{"0": seconds}}.
nlohmann::json to_json(const RunTiming& timing);
RunTiming timing_from_json(const nlohmann::json& json);

/// Adds to the seconds of a step or layer, and writes the file.
void add_seconds(const RunFolder& run, Step step, double seconds);
void add_seconds(const RunFolder& run, int layer, double seconds);

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace ladimo
