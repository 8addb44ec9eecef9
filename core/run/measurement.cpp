#include "run/measurement.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/context.h"
#include "base/files.h"
#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<Measurement> {
  static constexpr std::tuple all{
      Member{"date", &Measurement::date},         Member{"machine", &Measurement::machine},
      Member{"text", &Measurement::text},         Member{"tokens", &Measurement::tokens},
      Member{"window", &Measurement::window},     Member{"dense_perplexity", &Measurement::dense_perplexity},
      Member{"same_top", &Measurement::same_top}, Member{"same_top_se", &Measurement::same_top_se}};
};

namespace {

/// Changes the run's list of measurements. Writes it when `change` returns true; a failure only emits a
/// warning.
void change_measurements(const RunFolder& run, const Context& context,
                         const std::function<bool(std::vector<Measurement>&)>& change) {
  try {
    auto all = read_measurements(run);
    if (!change(all)) return;
    auto list = nlohmann::json::array();
    for (const Measurement& measurement : all) list.push_back(to_json(measurement));
    write_json(run.measurements_file(), list);
  } catch (const std::exception& failure) {
    const Problem problem = problem_of(failure);
    context.warn(fmt::format("The measurement is not kept: {}", problem.message), problem.hint);
  }
}

}  // namespace

nlohmann::json to_json(const Measurement& measurement) {
  auto json = members_to_json(measurement);
  json["split"] = to_string(measurement.split);
  json["calibrated_on"] = json_of(measurement.calibrated_on);
  json["policy"] = to_json(measurement.policy);
  json["numbers"] = to_json(measurement.numbers);
  json["kl_percentiles"] = percentiles_to_json(measurement.kl_percentiles);
  return json;
}

Measurement measurement_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "measurement");
  auto found = members_from_json<Measurement>(fields);
  found.split = evaluated_text_from_json(fields);
  // Older versions did not write `calibrated_on`.
  if (fields.has("calibrated_on")) found.calibrated_on = fields.paths("calibrated_on");
  found.policy = policy_from_json(fields.at("policy"));
  found.numbers = policy_numbers_from_json(fields.at("numbers"));
  found.kl_percentiles = percentiles_from_json(fields);
  return found;
}

MeasureEvent measure_event(const Measurement& measurement) {
  return {to_json(measurement).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

Measurement measurement_of(const MeasureEvent& event) {
  return measurement_from_json(nlohmann::json::parse(event.json));
}

std::vector<Measurement> read_measurements(const RunFolder& run) {
  const auto file = run.measurements_file();
  std::vector<Measurement> all;
  if (!std::filesystem::exists(file)) return all;
  const auto list = read_json(file);
  if (!list.is_array())
    throw Refusal("This file is not a JSON list.", "Move it away; a new one is made.", file);
  return naming_file(file, [&] {
    for (const nlohmann::json& one : list) all.push_back(measurement_from_json(one));
    return all;
  });
}

void append_measurement(const RunFolder& run, const Measurement& measurement, const Context& context) {
  change_measurements(run, context, [&](std::vector<Measurement>& all) {
    constexpr std::ptrdiff_t most = 200;
    all.push_back(measurement);
    if (std::ssize(all) > most) all.erase(all.begin(), all.end() - most);
    return true;
  });
}

void keep_times(const RunFolder& run, const Policy& policy, double decode_ms, double prefill_ms,
                const Context& context) {
  change_measurements(run, context, [&](std::vector<Measurement>& all) {
    const auto newest = std::find_if(all.rbegin(), all.rend(), [&](const Measurement& measurement) {
      return measurement.policy.layers == policy.layers;
    });
    if (newest == all.rend()) return false;
    newest->numbers.decode_ms = decode_ms;
    newest->numbers.prefill_ms = prefill_ms;
    return true;
  });
}

}  // namespace ladimo
