#include "run/pace.h"

#include <chrono>
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

nlohmann::json entries_in(const std::filesystem::path& file) {
  try {
    if (auto json = read_json(file); json.is_object()) return json;
  } catch (const Error&) {
    // Nothing is remembered.
  }
  return nlohmann::json::object();
}

}  // namespace

Pace usual_pace(int threads) {
  const double n = threads;
  return {90e9 * n, 70e9 * n, 100e9 * n, 90e9 * n, 80e9 * n, 1};
}

PaceCache::PaceCache() : file_(cache_file()) {}

std::optional<Pace> PaceCache::find(const ModelConfig& config, int threads, const std::string& device) const {
  if (file_.empty() || !std::filesystem::exists(file_)) return {};
  const auto entries = entries_in(file_);
  const auto found = entries.find(key_of(config, threads, device));
  if (found == entries.end()) return {};
  try {
    const JsonFields fields(*found, "pace", file_);
    const auto age = seconds_now() - fields.at("measured").get<std::int64_t>();
    if (age < 0 || age > seconds_kept) return {};
    Pace pace;
    read_given_members(fields, pace);
    return pace;
  } catch (const std::exception&) {
    return {};
  }
}

void PaceCache::keep(const ModelConfig& config, int threads, const std::string& device,
                     const Pace& pace) const {
  if (file_.empty()) return;
  try {
    auto entries = std::filesystem::exists(file_) ? entries_in(file_) : nlohmann::json::object();
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
