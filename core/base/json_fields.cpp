#include "base/json_fields.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/setting.h"

namespace ladimo {

using nlohmann::json;

JsonFields::JsonFields(const json& value, std::string what, std::filesystem::path path)
    : JsonFields(value, std::move(what), std::move(path), {}) {}

JsonFields::JsonFields(const json& value, std::string what, std::filesystem::path path, std::string prefix)
    : json_(value), what_(std::move(what)), path_(std::move(path)), prefix_(std::move(prefix)) {
  if (json_.is_object()) return;
  const std::string where = prefix_.empty() ? "it" : prefix_.substr(0, prefix_.size() - 1);
  throw Refusal(fmt::format("The {}: {} is not a JSON object.", what_, where),
                "The file is damaged, or another program made it.", path_);
}

bool JsonFields::has(std::string_view key) const {
  const auto found = json_.find(key);
  return found != json_.end() && !found->is_null();
}

const json& JsonFields::at(std::string_view key) const {
  const auto found = json_.find(key);
  if (found == json_.end()) refuse(key, "is missing");
  return *found;
}

double JsonFields::number_of(const json& value, std::string_view key) const {
  if (!value.is_number()) refuse(key, "is not a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) refuse(key, "is not finite");
  return number;
}

std::int64_t JsonFields::integer_of(const json& value, std::string_view key) const {
  if (!value.is_number_integer()) refuse(key, "is not an integer");
  if (value.is_number_unsigned() &&
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    refuse(key, "is too large");
  return value.get<std::int64_t>();
}

int JsonFields::small_of(std::int64_t value, std::string_view key) const {
  if (!std::in_range<int>(value)) refuse(key, "is out of range");
  return static_cast<int>(value);
}

const json& JsonFields::array(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_array()) refuse(key, "is not a list");
  return value;
}

double JsonFields::number(std::string_view key) const { return number_of(at(key), key); }
std::int64_t JsonFields::integer(std::string_view key) const { return integer_of(at(key), key); }
int JsonFields::small(std::string_view key) const { return small_of(integer(key), key); }

std::uint64_t JsonFields::count(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_number_unsigned()) refuse(key, "is not an integer of at least 0");
  return value.get<std::uint64_t>();
}

std::optional<double> JsonFields::optional_number(std::string_view key) const {
  return has(key) ? std::optional(number(key)) : std::nullopt;
}

bool JsonFields::flag(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_boolean()) refuse(key, "is neither true nor false");
  return value.get<bool>();
}

std::string JsonFields::text(std::string_view key) const {
  const json& value = at(key);
  if (!value.is_string()) refuse(key, "is not a string");
  return value.get<std::string>();
}

std::vector<double> JsonFields::numbers(std::string_view key) const {
  std::vector<double> values;
  for (const json& value : array(key)) values.push_back(number_of(value, key));
  return values;
}

std::vector<std::int64_t> JsonFields::integers(std::string_view key) const {
  std::vector<std::int64_t> values;
  for (const json& value : array(key)) values.push_back(integer_of(value, key));
  return values;
}

std::vector<int> JsonFields::smalls(std::string_view key) const {
  std::vector<int> values;
  for (const std::int64_t value : integers(key)) values.push_back(small_of(value, key));
  return values;
}

std::vector<std::string> JsonFields::texts(std::string_view key) const {
  std::vector<std::string> values;
  for (const json& value : array(key)) {
    if (!value.is_string()) refuse(key, "is not a list of strings");
    values.push_back(value.get<std::string>());
  }
  return values;
}

std::vector<std::filesystem::path> JsonFields::paths(std::string_view key) const {
  const auto names = texts(key);
  return {names.begin(), names.end()};
}

JsonFields JsonFields::object(std::string_view key) const {
  return {at(key), what_, path_, fmt::format("{}{}.", prefix_, key)};
}

std::vector<JsonFields> JsonFields::objects(std::string_view key) const {
  std::vector<JsonFields> items;
  for (const json& value : array(key))
    items.push_back(JsonFields(value, what_, path_, fmt::format("{}{}[{}].", prefix_, key, items.size())));
  return items;
}

void JsonFields::only(const std::vector<std::string_view>& known) const {
  for (const auto& item : json_.items()) {
    if (std::ranges::find(known, item.key()) != known.end()) continue;
    throw Refusal(fmt::format("The {}: the key \"{}{}\" is unknown.", what_, prefix_, item.key()),
                  fmt::format("Supported: {}.", fmt::join(known, ", ")), path_);
  }
}

void JsonFields::refuse(std::string_view key, std::string_view complaint) const {
  throw Refusal(fmt::format("The {}: {}{} {}.", what_, prefix_, key, complaint),
                "Correct the file, or write it again.", path_);
}

nlohmann::json to_json(const std::vector<Problem>& problems) {
  auto list = nlohmann::json::array();
  for (const Problem& problem : problems) {
    const auto setting = setting_in(problem.hint);
    list.push_back({{"message", problem.message},
                    {"hint", in_words(problem.hint, command_line())},
                    {"path", problem.path.string()},
                    {"setting", setting ? nlohmann::json(id_of(*setting)) : nlohmann::json()},
                    {"advice", problem.hint}});
  }
  return list;
}

std::string advice_from(const JsonFields& fields) {
  return fields.text(fields.has("advice") ? "advice" : "hint");
}

std::vector<Problem> problems_from(const JsonFields& fields, std::string_view key) {
  std::vector<Problem> problems;
  for (const JsonFields& problem : fields.objects(key))
    problems.push_back({problem.text("message"), advice_from(problem), problem.text("path")});
  return problems;
}

}  // namespace ladimo
