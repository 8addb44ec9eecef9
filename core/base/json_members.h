// Structs as JSON objects. One table names the members of a struct with their keys; the writer and the reader
// both follow it.
#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/json_fields.h"

namespace ladimo {

/// A member of a struct and its key.
template <class Struct, class Value>
struct Member {
  const char* key;
  Value Struct::*member;
};
template <class Struct, class Value>
Member(const char*, Value Struct::*) -> Member<Struct, Value>;

/// The table of a struct: `static constexpr std::tuple all{Member{"key", &Struct::member}, ...}`. It is
/// specialised in front of the struct's codec.
template <class Struct>
struct Members;

template <class Struct>
nlohmann::json members_to_json(const Struct& object);
template <class Struct>
void read_members(const JsonFields& fields, Struct& object);

namespace json_members {

template <class T>
constexpr bool is_vector = false;
template <class T>
constexpr bool is_vector<std::vector<T>> = true;
template <class T>
constexpr bool is_optional = false;
template <class T>
constexpr bool is_optional<std::optional<T>> = true;

template <class T>
void read(const JsonFields& fields, const char* key, T& value) {
  if constexpr (is_optional<T>) {
    value.reset();
    if (fields.has(key)) read(fields, key, value.emplace());
  } else if constexpr (std::same_as<T, bool>) {
    value = fields.flag(key);
  } else if constexpr (std::same_as<T, int>) {
    value = fields.small(key);
  } else if constexpr (std::same_as<T, std::int64_t>) {
    value = fields.integer(key);
  } else if constexpr (std::same_as<T, std::uint64_t>) {
    value = fields.count(key);
  } else if constexpr (std::same_as<T, double>) {
    value = fields.number(key);
  } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::filesystem::path>) {
    value = fields.text(key);
  } else if constexpr (std::same_as<T, std::vector<int>>) {
    value = fields.smalls(key);
  } else if constexpr (std::same_as<T, std::vector<std::int64_t>>) {
    value = fields.integers(key);
  } else if constexpr (std::same_as<T, std::vector<double>>) {
    value = fields.numbers(key);
  } else if constexpr (std::same_as<T, std::vector<std::string>>) {
    value = fields.texts(key);
  } else if constexpr (std::same_as<T, std::vector<std::filesystem::path>>) {
    value = fields.paths(key);
  } else if constexpr (is_vector<T>) {
    value.clear();
    for (const JsonFields& item : fields.objects(key)) read_members(item, value.emplace_back());
  } else {
    read_members(fields.object(key), value);
  }
}

/// Calls `each` with every row of the table of `Struct`.
template <class Struct, class Each>
void for_all(const Each& each) {
  std::apply([&](const auto&... rows) { (each(rows), ...); }, Members<Struct>::all);
}

}  // namespace json_members

/// Converts a value to JSON: a number, a string, a path, a list of values, or a struct that has a table. A
/// path becomes a string and an absent value null.
template <class T>
nlohmann::json json_of(const T& value) {
  if constexpr (std::same_as<T, std::filesystem::path>) {
    return value.string();
  } else if constexpr (json_members::is_optional<T>) {
    return value ? json_of(*value) : nlohmann::json();
  } else if constexpr (json_members::is_vector<T>) {
    auto list = nlohmann::json::array();
    for (const auto& item : value) list.push_back(json_of(item));
    return list;
  } else if constexpr (std::is_arithmetic_v<T> || std::same_as<T, std::string>) {
    return value;
  } else {
    return members_to_json(value);
  }
}

/// Returns a JSON object with the keys in the table of `Struct`.
template <class Struct>
nlohmann::json members_to_json(const Struct& object) {
  auto json = nlohmann::json::object();
  json_members::for_all<Struct>([&](const auto& row) { json[row.key] = json_of(object.*row.member); });
  return json;
}

/// Reads every member in the table of `Struct`. Throws Refusal when a key is missing or has another type;
/// only an optional member may be missing or null.
template <class Struct>
void read_members(const JsonFields& fields, Struct& object) {
  json_members::for_all<Struct>(
      [&](const auto& row) { json_members::read(fields, row.key, object.*row.member); });
}

/// Returns what read_members() makes of a new object.
template <class Struct>
Struct members_from_json(const JsonFields& fields) {
  Struct object;
  read_members(fields, object);
  return object;
}

/// Reads the members whose keys are present and not null. The others keep their values.
template <class Struct>
void read_given_members(const JsonFields& fields, Struct& object) {
  json_members::for_all<Struct>([&](const auto& row) {
    if (fields.has(row.key)) json_members::read(fields, row.key, object.*row.member);
  });
}

/// The keys in the table of `Struct`.
template <class Struct>
std::vector<std::string_view> keys_of_members() {
  std::vector<std::string_view> keys;
  json_members::for_all<Struct>([&](const auto& row) { keys.emplace_back(row.key); });
  return keys;
}

}  // namespace ladimo
