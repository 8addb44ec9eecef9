#include "run/timing_log.h"

#include <nlohmann/json.hpp>

#include "base/files.h"

namespace ladimo {

void TimingLog::add(const std::string& group, const std::string& key, double seconds) const {
  auto timing = run_.timing();
  if (!timing.is_object()) timing = nlohmann::json::object();
  auto& entry = timing[group][key];
  entry = (entry.is_number() ? entry.get<double>() : 0.0) + seconds;
  write_json(run_.timing_file(), timing);
}

double TimingLog::total() const {
  const auto timing = run_.timing();
  double sum = 0;
  if (timing.is_object() && timing.contains("steps"))
    for (const auto& seconds : timing["steps"]) sum += seconds.is_number() ? seconds.get<double>() : 0;
  return sum;
}

}  // namespace ladimo
