#include "run/pace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json_members.h"
#include "base/machine.h"

namespace ladimo {

template <>
struct Members<Pace> {
  static constexpr std::tuple all{Member{"forward", &Pace::forward},
                                  Member{"backward", &Pace::backward},
                                  Member{"distillation", &Pace::distillation},
                                  Member{"equations", &Pace::equations},
                                  Member{"head", &Pace::head},
                                  Member{"bf16_gain", &Pace::bf16_gain}};
};

namespace {

constexpr std::int64_t seconds_kept = 24 * 3600;

std::int64_t seconds_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::filesystem::path cache_file() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache != nullptr && *cache != '\0') return std::filesystem::path(cache) / "ladimo" / "pace.json";
  if (home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".cache" / "ladimo" / "pace.json";
  return {};
}

std::string key_of(const ModelConfig& config, int threads, const std::string& device) {
  return fmt::format("{}, {}, {} threads, d {} f {} heads {}/{} of {} vocabulary {}", processor_name(),
                     device, threads, config.hidden_size, config.intermediate_size, config.heads,
                     config.kv_heads, config.head_dim, config.vocab_size);
}

/// The entries of a cache that are not forgotten; none where it cannot be read.
nlohmann::json entries_in(const std::filesystem::path& file) {
  auto kept = nlohmann::json::object();
  try {
    const auto entries = read_json(file);
    if (!entries.is_object()) return kept;
    for (const auto& [key, entry] : entries.items()) {
      if (!entry.is_object() || !entry.contains("measured") || !entry["measured"].is_number_integer())
        continue;
      const auto age = seconds_now() - entry["measured"].get<std::int64_t>();
      if (age >= 0 && age <= seconds_kept) kept[key] = entry;
    }
  } catch (const std::exception&) {
    // Nothing is remembered.
  }
  return kept;
}

bool is_possible(const Pace& pace) {
  const auto rates = {pace.forward,   pace.backward, pace.distillation,
                      pace.equations, pace.head,     pace.bf16_gain};
  return std::ranges::all_of(rates, [](double rate) { return std::isfinite(rate) && rate > 0; });
}

}  // namespace

Pace usual_pace(int threads) {
  const double n = threads;
  return {90e9 * n, 70e9 * n, 100e9 * n, 90e9 * n, 80e9 * n, 1};
}

PaceCache::PaceCache() : file_(cache_file()) {}

std::optional<Pace> PaceCache::find(const ModelConfig& config, int threads, const std::string& device) const {
  if (file_.empty()) return {};
  const auto entries = entries_in(file_);
  const auto found = entries.find(key_of(config, threads, device));
  if (found == entries.end()) return {};
  try {
    const auto pace = members_from_json<Pace>(JsonFields(*found, "pace", file_));
    return is_possible(pace) ? std::optional(pace) : std::nullopt;
  } catch (const Error&) {
    return {};
  }
}

void PaceCache::keep(const ModelConfig& config, int threads, const std::string& device,
                     const Pace& pace) const {
  if (file_.empty()) return;
  try {
    auto entries = entries_in(file_);
    auto entry = members_to_json(pace);
    entry["measured"] = seconds_now();
    entries[key_of(config, threads, device)] = std::move(entry);
    std::filesystem::create_directories(file_.parent_path());
    write_json(file_, entries);
  } catch (const std::exception&) {
    // It will be measured again.
  }
}

}  // namespace ladimo
