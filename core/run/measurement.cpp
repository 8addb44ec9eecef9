#include "run/measurement.h"

#include <algorithm>
#include <functional>
#include <map>

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

/// The keys of what is measured on a text.
constexpr const char* of_text[] = {"split",    "window",      "numbers",       "dense_perplexity",
                                   "same_top", "same_top_se", "kl_percentiles"};

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
  if (!measurement.has_text())
    for (const char* key : of_text) json[key] = nullptr;
  json["tasks"] = nlohmann::json::array();
  for (const TaskResult& task : measurement.tasks) json["tasks"].push_back(to_json(task));
  return json;
}

Measurement measurement_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "measurement");
  Measurement found;
  found.policy = policy_from_json(fields.at("policy"));
  // Older versions did not write `calibrated_on` and `tasks`.
  if (fields.has("calibrated_on")) found.calibrated_on = fields.paths("calibrated_on");
  if (fields.has("tasks"))
    for (const JsonFields& task : fields.objects("tasks")) found.tasks.push_back(task_result_from_json(task));
  if (fields.integer("tokens") == 0) {
    read_given_members(fields, found);
    return found;
  }
  read_members(fields, found);
  found.split = evaluated_text_from_json(fields);
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
      return measurement.has_text() && measurement.policy.layers == policy.layers;
    });
    if (newest == all.rend()) return false;
    newest->numbers.decode_ms = decode_ms;
    newest->numbers.prefill_ms = prefill_ms;
    return true;
  });
}

std::vector<TaskResult> newest_tasks(const std::vector<Measurement>& measurements,
                                     const std::vector<LayerPolicy>& layers) {
  // Files in different folders may have one name.
  std::map<std::pair<std::string, std::filesystem::path>, TaskResult> newest;
  for (const Measurement& measurement : measurements)
    if (measurement.policy.layers == layers)
      for (const TaskResult& task : measurement.tasks) newest.insert_or_assign({task.task, task.file}, task);
  std::vector<TaskResult> tasks;
  for (const auto& [file, task] : newest) tasks.push_back(task);
  return tasks;
}

}  // namespace ladimo
