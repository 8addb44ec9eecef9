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

void write(const RunFolder& run, const RunTiming& timing) { write_json(run.timing_file(), to_json(timing)); }

}  // namespace

double RunTiming::total() const {
  double sum = 0;
  for (const auto& [name, seconds] : steps) sum += seconds;
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
  auto layers = nlohmann::json::object();
  for (const auto& [layer, seconds] : timing.layers) layers[std::to_string(layer)] = seconds;
  return {{"steps", timing.steps}, {"layers", std::move(layers)}};
}

RunTiming timing_from_json(const nlohmann::json& json) {
  RunTiming timing{numbers_of(json, "steps"), {}};
  for (const auto& [name, seconds] : numbers_of(json, "layers")) {
    int layer = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), layer);
    if (error == std::errc() && end == name.data() + name.size()) timing.layers[layer] = seconds;
  }
  return timing;
}

void add_seconds(const RunFolder& run, Step step, double seconds) {
  RunTiming timing = read_timing(run);
  timing.steps[name_of(step)] += seconds;
  write(run, timing);
}

void add_seconds(const RunFolder& run, int layer, double seconds) {
  RunTiming timing = read_timing(run);
  timing.layers[layer] += seconds;
  write(run, timing);
}

}  // namespace ladimo
