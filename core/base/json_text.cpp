#include "base/json_text.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"

namespace ladimo {
namespace {

constexpr int deepest = 100;                  // levels; functions that walk a value recurse once per level
constexpr std::size_t longest_spelled = 120;  // bytes
constexpr const char* hint =
    "The file may be truncated, damaged or edited by hand; download or write it again.";

/// The byte at which `text` goes deeper than `deepest` levels.
std::optional<std::size_t> find_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char letter = text[i];
    if (quoted) {
      if (letter == '\\') ++i;
      if (letter == '"') quoted = false;
    } else if (letter == '"') {
      quoted = true;
    } else if (letter == '[' || letter == '{') {
      if (++depth > deepest) return i;
    } else if (letter == ']' || letter == '}') {
      --depth;
    }
  }
  return std::nullopt;
}

/// The byte of the number that a failure of the parser quotes: "... parsing '1e999'".
std::size_t place_of(const nlohmann::json::out_of_range& failure, std::string_view text) {
  const std::string_view said = failure.what();
  const auto begin = said.find('\'') + 1, end = said.rfind('\'');
  return begin < end ? std::min(text.find(said.substr(begin, end - begin)), text.size()) : 0;
}

template <class Json>
Json parse(std::string_view text, const std::string& what, const std::filesystem::path& path,
           std::size_t offset) {
  if (const auto deep = find_too_deep(text))
    throw Refusal(
        fmt::format("{} is nested more than {} levels deep, at byte {}.", what, deepest, offset + *deep),
        hint, path);
  try {
    return Json::parse(text);
  } catch (const nlohmann::json::out_of_range& failure) {
    throw Refusal(fmt::format("{} contains a number that is out of range, at byte {}.", what,
                              offset + place_of(failure, text)),
                  hint, path);
  } catch (const nlohmann::json::parse_error& failure) {
    throw Refusal(fmt::format("{} is not valid JSON: error at byte {}.", what, offset + failure.byte), hint,
                  path);
  }
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& what, const std::filesystem::path& path,
                          std::size_t offset) {
  return parse<nlohmann::json>(text, what, path, offset);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& what,
                                          const std::filesystem::path& path) {
  return parse<nlohmann::ordered_json>(text, what, path, 0);
}

std::string spelled_json(const nlohmann::json& value) { return shortened(value.dump(), longest_spelled); }

}  // namespace ladimo
