#include "checkpoint/config_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

constexpr std::size_t listed_keys = 5;  // unknown keys that are named
constexpr const char* correct_it = "Correct config.json or download it again.";

// The elements of a list in words: 1, "a" or true.
std::string spelled(const Json& list) {
  std::string words;
  for (std::size_t i = 0; i < list.size(); ++i)
    words += (i == 0 ? "" : i + 1 == list.size() ? " or " : ", ") + list[i].dump();
  return words;
}

bool is_positive(const Json& json) {
  return json.is_number() && json.get<double>() > 0 && std::isfinite(json.get<double>());
}

bool holds(std::span<const std::string_view> keys, std::string_view key) {
  return std::ranges::find(keys, key) != keys.end();
}

// What a list says about the values of a key; null where it does not mention the key.
const AgreedKey* find(std::span<const AgreedKey> agreed, std::string_view key) {
  const auto found = std::ranges::find(agreed, key, &AgreedKey::key);
  return found == agreed.end() ? nullptr : &*found;
}

// Whether a value leaves a feature out.
bool is_off(const Json& value) {
  return value.is_null() || value == false || value == "" || (value.is_structured() && value.empty());
}

}  // namespace

std::optional<std::int64_t> whole_number(const Json& json) {
  const bool too_large = json.is_number_unsigned() && json.get<std::uint64_t>() > INT64_MAX;
  if (!json.is_number_integer() || too_large) return std::nullopt;
  return json.get<std::int64_t>();
}

ConfigReader::ConfigReader(const Json& json, std::string prefix, const std::filesystem::path& path,
                           std::vector<Problem>& problems)
    : json_(json), prefix_(std::move(prefix)), path_(path), problems_(problems) {}

const Json* ConfigReader::value(std::string_view key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigReader::mentions(std::string_view key) const { return json_.contains(key); }

void ConfigReader::complain(std::string_view key, const std::string& what, const std::string& hint) const {
  problems_.push_back({fmt::format("config.json: {}{} {}", prefix_, key, what), hint, path_});
}

void ConfigReader::complain_value(std::string_view key, const std::string& wanted) const {
  complain(key, fmt::format("is {}; it must be {}.", spelled_json(*value(key)), wanted), correct_it);
}

void ConfigReader::complain_missing(std::string_view key) const {
  complain(key, "is missing.", "Download config.json again.");
}

std::int64_t ConfigReader::whole(std::string_view key, std::int64_t least, std::int64_t most,
                                 std::int64_t fallback) const {
  const Json* found = value(key);
  if (found == nullptr) return fallback;
  const auto number = whole_number(*found);
  if (number && *number >= least && *number <= most) return *number;
  complain_value(key, fmt::format("a whole number from {} to {}", least, most));
  return fallback;
}

std::int64_t ConfigReader::size(std::string_view key, std::int64_t most,
                                std::optional<std::int64_t> fallback) const {
  if (value(key) == nullptr && !fallback) complain_missing(key);
  return whole(key, 1, most, fallback.value_or(0));
}

std::int64_t ConfigReader::count(std::string_view key, std::int64_t most, std::int64_t fallback) const {
  return whole(key, 0, most, fallback);
}

double ConfigReader::positive(std::string_view key, std::optional<double> fallback) const {
  const Json* found = value(key);
  if (found == nullptr && !fallback) complain_missing(key);
  if (found == nullptr) return fallback.value_or(1);
  if (is_positive(*found)) return found->get<double>();
  complain_value(key, "a number above 0");
  return fallback.value_or(1);
}

std::vector<double> ConfigReader::positives(std::string_view key, std::int64_t count) const {
  const Json* found = value(key);
  if (found == nullptr) {
    complain_missing(key);
    return {};
  }
  if (found->is_array() && std::cmp_equal(found->size(), count) && std::ranges::all_of(*found, is_positive))
    return found->get<std::vector<double>>();
  complain(key, fmt::format("must be a list of {} numbers above 0.", count), correct_it);
  return {};
}

bool ConfigReader::flag(std::string_view key, bool fallback) const {
  const Json* found = value(key);
  if (found == nullptr) return fallback;
  if (!found->is_boolean()) complain_value(key, "true or false");
  return found->is_boolean() ? found->get<bool>() : fallback;
}

std::string ConfigReader::text(std::string_view key) const {
  const Json* found = value(key);
  if (found == nullptr) return {};
  if (!found->is_string()) complain_value(key, "a string");
  return found->is_string() ? found->get<std::string>() : std::string();
}

ConfigReader ConfigReader::object(std::string_view key) const {
  return {*value(key), fmt::format("{}{}.", prefix_, key), path_, problems_};
}

void ConfigReader::only(std::initializer_list<std::span<const std::string_view>> used,
                        std::span<const std::string_view> harmless, std::span<const AgreedKey> agreed,
                        std::string_view model) const {
  std::size_t unknown = 0;
  for (const auto& [key, entry] : json_.items()) {
    const auto has_key = [&key = key](std::span<const std::string_view> keys) { return holds(keys, key); };
    if (entry.is_null() || std::ranges::any_of(used, has_key) || has_key(harmless) ||
        has_key(harmless_config_keys))
      continue;
    const AgreedKey* of_family = find(agreed, key);
    if (const AgreedKey* known = of_family ? of_family : find(agreed_config_keys, key)) {
      const Json values = Json::parse(known->values);
      if (std::ranges::find(values, entry) == values.end())
        complain(key, fmt::format("is {}; only {} is supported.", spelled_json(entry), spelled(values)),
                 fmt::format("Use a model that computes as {} does.", model));
    } else if (!is_off(entry) && ++unknown <= listed_keys) {
      complain(key, "is not supported, and it may change the computation.",
               key == "quantization_config"
                   ? "Use the checkpoint before quantisation (F32, F16 or BF16)."
                   : fmt::format("Remove the key if the model computes as {} does without it.", model));
    }
  }
  if (unknown > listed_keys)
    complain(fmt::format("{} more keys", unknown - listed_keys), "are not supported either.",
             fmt::format("Use a model that computes as {} does.", model));
}

}  // namespace ladimo
