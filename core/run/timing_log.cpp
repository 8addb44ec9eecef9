#include "run/timing_log.h"

#include <charconv>

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"

namespace ladimo {
namespace {

/// The numbers in the object under `key`, by name. Anything else is left out.
std::map<std::string, double> numbers_of(const nlohmann::json& json, const char* key) {
  std::map<std::string, double> numbers;
  if (!json.is_object() || !json.contains(key) || !json[key].is_object()) return numbers;
  for (const auto& [name, seconds] : json[key].items())
    if (seconds.is_number()) numbers[name] = seconds.get<double>();
  return numbers;
}

std::map<std::string, Work> work_of(const nlohmann::json& json, const char* seconds, const char* flops) {
  std::map<std::string, Work> work;
  for (const auto& [name, number] : numbers_of(json, seconds)) work[name].seconds = number;
  for (const auto& [name, number] : numbers_of(json, flops)) work[name].flops = number;
  return work;
}

void write(const RunFolder& run, const RunTiming& timing) { write_json(run.timing_file(), to_json(timing)); }

}  // namespace

double RunTiming::total() const {
  double sum = 0;
  for (const auto& [name, work] : steps) sum += work.seconds;
  return sum;
}

RunTiming read_timing(const RunFolder& run) {
  if (!std::filesystem::exists(run.timing_file())) return {};
  try {
    return timing_from_json(read_json(run.timing_file()));
  } catch (const Error&) {
    return {};
  }
}

nlohmann::json to_json(const RunTiming& timing) {
  const auto numbers = [](const std::map<std::string, Work>& work, double Work::*number) {
    auto json = nlohmann::json::object();
    for (const auto& [name, one] : work) json[name] = one.*number;
    return json;
  };
  auto layers = nlohmann::json::object();
  for (const auto& [layer, seconds] : timing.layers) layers[std::to_string(layer)] = seconds;
  return {{"steps", numbers(timing.steps, &Work::seconds)},
          {"step_flops", numbers(timing.steps, &Work::flops)},
          {"parts", numbers(timing.parts, &Work::seconds)},
          {"part_flops", numbers(timing.parts, &Work::flops)},
          {"layers", std::move(layers)}};
}

RunTiming timing_from_json(const nlohmann::json& json) {
  RunTiming timing{work_of(json, "steps", "step_flops"), work_of(json, "parts", "part_flops"), {}};
  for (const auto& [name, seconds] : numbers_of(json, "layers")) {
    int layer = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
    if (error == std::errc() && end == name.data() + name.size()) timing.layers[layer] = seconds;
  }
  return timing;
}

void add_work(const RunFolder& run, Step step, const Work& work) {
  RunTiming timing = read_timing(run);
  timing.steps[name_of(step)] += work;
  write(run, timing);
}

void add_work(const RunFolder& run, int layer, double seconds, const std::map<std::string, Work>& parts) {
  RunTiming timing = read_timing(run);
  timing.layers[layer] += seconds;
  for (const auto& [name, work] : parts) timing.parts[name] += work;
  write(run, timing);
}

}  // namespace ladimo
