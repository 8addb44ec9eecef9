// Reading JSON that a person may have damaged: every complaint names the file, the key and what was expected.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace ladimo {

/// A JSON object that is being read. `json` must outlive it. Every getter throws Refusal when the key is
/// missing or has another type.
class JsonFields {
 public:
  /// `what` names the thing in a sentence, e.g. "policy file". Throws Refusal when `json` is not an object.
  JsonFields(const nlohmann::json& json, std::string what, std::filesystem::path path = {});

  /// Whether the key is present and not null.
  bool has(std::string_view key) const;
  const nlohmann::json& at(std::string_view key) const;
  /// The whole object.
  const nlohmann::json& value() const { return json_; }
  double number(std::string_view key) const;  // finite
  std::int64_t integer(std::string_view key) const;
  int small(std::string_view key) const;                              // an integer that fits an int
  std::uint64_t count(std::string_view key) const;                    // an integer of at least 0
  std::optional<double> optional_number(std::string_view key) const;  // absent where missing or null
  bool flag(std::string_view key) const;
  std::string text(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<std::int64_t> integers(std::string_view key) const;
  std::vector<int> smalls(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<std::filesystem::path> paths(std::string_view key) const;
  JsonFields object(std::string_view key) const;
  std::vector<JsonFields> objects(std::string_view key) const;

  /// Throws Refusal that names a key which is not in `known`.
  void only(const std::vector<std::string_view>& known) const;
  /// Throws Refusal with a message such as "The policy file: layers[3].k must be at least 0."
  [[noreturn]] void refuse(std::string_view key, std::string_view complaint) const;

 private:
  JsonFields(const nlohmann::json& json, std::string what, std::filesystem::path path, std::string prefix);
  const nlohmann::json& array(std::string_view key) const;
  std::int64_t integer_of(const nlohmann::json& value, std::string_view key) const;
  int small_of(std::int64_t value, std::string_view key) const;
  double number_of(const nlohmann::json& value, std::string_view key) const;

  const nlohmann::json& json_;
  std::string what_;
  std::filesystem::path path_;
  std::string prefix_;  // where in the document: "layers[3]."
};

/// Returns a list of {message, hint, path, setting, advice}. `hint` is worded for the command line, `advice`
/// is the same hint with ids (base/setting.h), and `setting` is the id of the setting that the hint is about,
/// or null.
nlohmann::json to_json(const std::vector<Problem>& problems);
/// Reads the list under `key`. The hints keep their ids.
std::vector<Problem> problems_from(const JsonFields& fields, std::string_view key = "problems");
/// Reads the hint of a problem: `advice`, or `hint` when an older program wrote no `advice`.
std::string advice_from(const JsonFields& fields);

/// Returns what `read` returns. A Refusal that names no file is thrown again with `path`.
template <class Read>
auto naming_file(const std::filesystem::path& path, Read read) {
  try {
    return read();
  } catch (const Refusal& refusal) {
    if (!refusal.path().empty()) throw;
    throw Refusal(refusal.problem().message, refusal.hint(), path);  // what() would end at a NUL
  }
}

}  // namespace ladimo
