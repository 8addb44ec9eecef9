// measurements.json: the results of evaluations of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/events.h"
#include "policy/policy_file.h"
#include "run/evaluation.h"
#include "run/run_folder.h"

namespace ladimo {

class Context;

/// The numbers of one policy, measured on a text, on tasks, or on both.
struct Measurement {
  std::string date;     // ISO 8601
  std::string machine;  // as latency.json names it
  EvaluatedText split = EvaluatedText::checking;
  std::vector<std::filesystem::path> text;           // the files that were named
  std::vector<std::filesystem::path> calibrated_on;  // files in `text` that the run was calibrated on
  std::int64_t tokens = 0;                           // scored tokens; 0: no text was scored
  std::int64_t window = 0;
  Policy policy;
  PolicyNumbers numbers;  // measured on the text
  double dense_perplexity = 0;
  double same_top = 0, same_top_se = 0;  // share of equal most likely tokens, its standard error
  KlPercentiles kl_percentiles{};
  std::vector<TaskResult> tasks = {};

  /// Whether a text was scored. Without one, what is measured on it means nothing.
  bool has_text() const { return tokens > 0; }
};

/// Returns {date, machine, split, text[], calibrated_on[], tokens, window, policy, numbers, dense_perplexity,
/// same_top, same_top_se, kl_percentiles, tasks[TaskResult]}. Without a text, what is measured on it is null.
nlohmann::json to_json(const Measurement& measurement);
/// Reads what to_json() writes. Throws Refusal that names the key.
Measurement measurement_from_json(const nlohmann::json& json);

/// Converts a measurement to its event and back. measurement_of() throws Refusal that names the key.
MeasureEvent measure_event(const Measurement& measurement);
Measurement measurement_of(const MeasureEvent& event);

/// The run's measurements, oldest first; empty when there are none yet. Throws Refusal that names the file.
std::vector<Measurement> read_measurements(const RunFolder& run);
/// Appends a measurement to those of the run, which keeps the latest 200. A failure only emits a warning,
/// because the evaluation itself succeeded.
void append_measurement(const RunFolder& run, const Measurement& measurement, const Context& context);
/// Stores the times of a policy in its newest measurement on a text. Does nothing when the policy was not
/// measured. A failure only emits a warning.
void keep_times(const RunFolder& run, const Policy& policy, double decode_ms, double prefill_ms,
                const Context& context);

/// The newest result of every task under the policy `layers`, sorted by name. `measurements`: oldest first.
std::vector<TaskResult> newest_tasks(const std::vector<Measurement>& measurements,
                                     const std::vector<LayerPolicy>& layers);

}  // namespace ladimo
