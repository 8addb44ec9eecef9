// Reading config.json. A bad value adds a problem that names the key, and the fallback takes its place.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/error.h"
#include "checkpoint/config_keys.h"

namespace ladimo {

// Generous limits that keep every product of sizes inside 64 bits.
inline constexpr std::int64_t most_layers = 4096;
inline constexpr std::int64_t most_heads = 4096;
inline constexpr std::int64_t largest_size = 1 << 24;
inline constexpr std::int64_t most_positions = std::int64_t{1} << 31;

/// The whole number in `json`; absent for other values and those beyond 64 bits.
std::optional<std::int64_t> whole_number(const nlohmann::json& json);

/// One JSON object of config.json. `json`, `path` and `problems` must outlive it.
class ConfigReader {
 public:
  ConfigReader(const nlohmann::json& json, std::string prefix, const std::filesystem::path& path,
               std::vector<Problem>& problems);

  /// The value of a key, or a null pointer when it is absent or null.
  const nlohmann::json* value(std::string_view key) const;
  bool mentions(std::string_view key) const;

  /// Adds a problem: "config.json: KEY WHAT".
  void complain(std::string_view key, const std::string& what, const std::string& hint) const;
  /// Adds a problem: "config.json: KEY is VALUE; it must be WANTED."
  void complain_value(std::string_view key, const std::string& wanted) const;

  /// A whole number from 1 to `most`. Without a fallback the key is required.
  std::int64_t size(std::string_view key, std::int64_t most, std::optional<std::int64_t> fallback = {}) const;
  /// A whole number from 0 to `most`.
  std::int64_t count(std::string_view key, std::int64_t most, std::int64_t fallback) const;
  /// A finite number above 0. Without a fallback the key is required.
  double positive(std::string_view key, std::optional<double> fallback = {}) const;
  /// `count` finite numbers above 0. The key is required. Empty where it cannot be read.
  std::vector<double> positives(std::string_view key, std::int64_t count) const;
  bool flag(std::string_view key, bool fallback = false) const;
  std::string text(std::string_view key) const;
  /// The object under a key. Precondition: there is one.
  ConfigReader object(std::string_view key) const;

  /// Complains about every key that this program would ignore although it could change the computation: it is
  /// in none of the lists `used` and `harmless` and has another value than `agreed` allows. `model` names
  /// what computes as this program does: "LLaMA".
  void only(std::initializer_list<std::span<const std::string_view>> used,
            std::span<const std::string_view> harmless, std::span<const AgreedKey> agreed,
            std::string_view model) const;

 private:
  void complain_missing(std::string_view key) const;
  std::int64_t whole(std::string_view key, std::int64_t least, std::int64_t most,
                     std::int64_t fallback) const;

  const nlohmann::json& json_;
  std::string prefix_;
  const std::filesystem::path& path_;
  std::vector<Problem>& problems_;
};

}  // namespace ladimo
