#include "checkpoint/license.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/utf8.h"

namespace ladimo {
namespace {

constexpr std::size_t most_bytes = 100;
constexpr std::string_view white_space = " \t\r";

std::string_view trimmed(std::string_view text, std::string_view around) {
  const auto begin = text.find_first_not_of(around);
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(around) - begin + 1);
}

/// A value of YAML on one line, without its quotes and the comment behind it.
std::string_view plain_value(std::string_view text) {
  text = trimmed(text, white_space);
  if (const auto comment = text.find(" #"); comment != text.npos) text = text.substr(0, comment);
  if (text.starts_with('#')) return {};
  return trimmed(text, " \t\r\"'");
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    lines.push_back(trimmed(text.substr(0, end), "\r"));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// The front matter of Markdown: the lines between two lines of three dashes at its beginning.
std::vector<std::string_view> front_matter(std::string_view text) {
  constexpr std::string_view mark = "\xef\xbb\xbf";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  auto lines = lines_of(text);
  const auto is_border = [](std::string_view line) { return trimmed(line, white_space) == "---"; };
  if (lines.empty() || !is_border(lines.front())) return {};
  const auto end = std::find_if(lines.begin() + 1, lines.end(), is_border);
  if (end == lines.end()) return {};
  return {lines.begin() + 1, end};
}

/// The values of a key at the top level: one, or a list in either spelling of YAML.
std::vector<std::string_view> values_of(const std::vector<std::string_view>& lines, std::string_view key) {
  std::vector<std::string_view> values;
  const auto add = [&](std::string_view value) {
    if (value = plain_value(value); !value.empty()) values.push_back(value);
  };
  const auto is_key = [&](std::string_view line) {
    return line.starts_with(key) && line.substr(key.size()).starts_with(':');
  };
  auto line = std::ranges::find_if(lines, is_key);
  if (line == lines.end()) return values;
  std::string_view value = plain_value(line->substr(key.size() + 1));
  if (value.starts_with('[') && value.ends_with(']')) {
    for (value = value.substr(1, value.size() - 2); !value.empty();) {
      const auto comma = std::min(value.find(','), value.size());
      add(value.substr(0, comma));
      value.remove_prefix(std::min(comma + 1, value.size()));
    }
  } else if (!value.empty()) {
    add(value);
  } else {
    for (++line; line != lines.end() && trimmed(*line, white_space).starts_with("- "); ++line)
      add(trimmed(*line, white_space).substr(2));
  }
  return values;
}

std::string in_card(const ModelFiles& files) {
  if (!files.has("README.md")) return {};
  const std::string text = files.read("README.md");
  const auto lines = front_matter(text);
  auto values = values_of(lines, "license");
  if (values.size() == 1 && values.front() == "other")
    if (auto names = values_of(lines, "license_name"); !names.empty()) values = std::move(names);
  return fmt::to_string(fmt::join(values, ", "));
}

std::string in_config(const ModelFiles& files) {
  if (!files.has("config.json")) return {};
  const auto config = files.read_json("config.json");
  if (!config.is_object() || !config.contains("license") || !config["license"].is_string()) return {};
  const auto& value = config["license"].get_ref<const std::string&>();
  return std::string(trimmed(value.substr(0, value.find('\n')), white_space));
}

std::string attempted(std::string (*read)(const ModelFiles&), const ModelFiles& files) {
  try {
    const std::string found = read(files);
    return find_invalid_utf8(found) ? std::string() : shortened(found, most_bytes);
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

std::optional<std::string> license_of(const ModelFiles& files) {
  for (const auto read : {in_card, in_config})
    if (auto found = attempted(read, files); !found.empty()) return found;
  return std::nullopt;
}

}  // namespace ladimo
