#include "checkpoint/generation_config.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

constexpr std::size_t listed = 8;  // ids that are named

std::string spelled(const std::vector<std::int64_t>& ids) {
  if (ids.empty()) return "none";
  const std::span first(ids.data(), std::min(ids.size(), listed));
  const auto more = ids.size() - first.size();
  return fmt::format("{}{}", fmt::join(first, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

/// The ids in order, each once.
std::vector<std::int64_t> tidied(std::vector<std::int64_t> ids) {
  std::ranges::sort(ids);
  ids.erase(std::ranges::unique(ids).begin(), ids.end());
  return ids;
}

/// The ids under eos_token_id, which may be one number or a list. A negative id means "none".
std::vector<std::int64_t> read_eos(const Json& json, const std::filesystem::path& file,
                                   std::int64_t vocab_size, std::vector<Problem>& warnings) {
  const Json& found = json["eos_token_id"];
  std::vector<std::int64_t> ids;
  for (const Json& id : found.is_array() ? found : Json::array({found})) {
    const bool fits = id.is_number_integer() && id < vocab_size;
    if (!fits)
      warnings.push_back(
          {fmt::format(
               "generation_config.json: eos_token_id is {}, which is not a token id below vocab_size {}.",
               spelled_json(id), vocab_size),
           "It is ignored.", file});
    else if (id >= 0)
      ids.push_back(id.get<std::int64_t>());
  }
  return ids;
}

}  // namespace

void add_generation_config(const ModelFiles& files, ModelConfig& config, std::vector<Problem>& warnings) {
  const char* name = "generation_config.json";
  if (!files.has(name)) return;
  const auto file = files.path(name);
  Json json;
  try {
    json = files.read_json(name);
  } catch (const Refusal& refusal) {
    warnings.push_back({refusal.what(), "generation_config.json is ignored.", file});
    return;
  }
  if (!json.is_object() || !json.contains("eos_token_id") || json["eos_token_id"].is_null()) return;
  const auto ids = tidied(read_eos(json, file, config.vocab_size, warnings));
  const auto known = tidied(config.eos);
  if (ids == known || ids.empty()) return;
  for (const std::int64_t id : ids)
    if (!std::ranges::binary_search(known, id)) config.eos.push_back(id);
  warnings.push_back({fmt::format("config.json and generation_config.json name different tokens that end a "
                                  "text (eos_token_id): {} and {}.",
                                  spelled(known), spelled(ids)),
                      "A text ends at any of them.", file});
}

}  // namespace ladimo
