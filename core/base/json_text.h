// JSON from text.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace ladimo {

/// Parses `text`, which `what` names in messages. `path` is the file it comes from, and `offset` its place in
/// the file in bytes. Throws Refusal with the byte where it is not valid JSON, holds a number that no type
/// can hold, or is nested more than 100 levels deep.
nlohmann::json parse_json(std::string_view text, const std::string& what, const std::filesystem::path& path,
                          std::size_t offset = 0);
/// Like parse_json(). The keys of objects keep their order.
nlohmann::ordered_json parse_ordered_json(std::string_view text, const std::string& what,
                                          const std::filesystem::path& path);

/// A value as it is spelled in messages: its JSON text, cut where it is long.
std::string spelled_json(const nlohmann::json& value);

}  // namespace ladimo
