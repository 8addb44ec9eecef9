// measurements.json: what evaluations of a run found.
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

/// A policy, measured on a text.
struct Measurement {
  std::string date;     // ISO 8601
  std::string machine;  // as latency.json names it
  EvaluatedText split = EvaluatedText::checking;
  std::vector<std::filesystem::path> text;           // the files that were named
  std::vector<std::filesystem::path> calibrated_on;  // those of them that the run was calibrated on
  std::int64_t tokens = 0;                           // scored
  std::int64_t window = 0;
  Policy policy;
  PolicyNumbers numbers;  // measured
  double dense_perplexity = 0;
  double same_top = 0, same_top_se = 0;  // share of equal most likely tokens, its standard error
  KlPercentiles kl_percentiles{};
};

/// {date, machine, split, text[], calibrated_on[], tokens, window, policy, numbers, dense_perplexity,
/// same_top, same_top_se, kl_percentiles}.
nlohmann::json to_json(const Measurement& measurement);
/// Throws Refusal with the key.
Measurement measurement_from_json(const nlohmann::json& json);

/// The event that tells a measurement, and what it tells. Throws Refusal.
MeasureEvent measure_event(const Measurement& measurement);
Measurement measurement_of(const MeasureEvent& event);

/// The run's measurements, oldest first; empty where there are none yet. Throws Refusal with the file.
std::vector<Measurement> read_measurements(const RunFolder& run);
/// Keeps a measurement in the run, newest last, at most 200. Where that is impossible the sink hears a
/// warning: the evaluation itself went well.
void append_measurement(const RunFolder& run, const Measurement& measurement, const Context& context);
/// Puts the times of a policy into its newest measurement; nothing where it was not measured.
void keep_times(const RunFolder& run, const Policy& policy, double decode_ms, double prefill_ms,
                const Context& context);

}  // namespace ladimo
