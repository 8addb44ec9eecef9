#include "checkpoint/generation_config.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

namespace ladimo {
namespace {

using Json = nlohmann::json;

std::string spelled(const std::vector<std::int64_t>& ids) {
  return ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, ", "));
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
               "generation_config.json: eos_token_id is {}, which is no token id below vocab_size {}.",
               id.dump(), vocab_size),
           "It is left out.", file});
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
    warnings.push_back({refusal.what(), "generation_config.json is left out.", file});
    return;
  }
  if (!json.is_object() || !json.contains("eos_token_id") || json["eos_token_id"].is_null()) return;
  auto ids = read_eos(json, file, config.vocab_size, warnings);
  auto known = config.eos;
  std::ranges::sort(ids);
  std::ranges::sort(known);
  if (ids == known || ids.empty()) return;
  for (const std::int64_t id : ids)
    if (!std::ranges::binary_search(known, id)) config.eos.push_back(id);
  warnings.push_back({fmt::format("config.json and generation_config.json name different tokens that end a "
                                  "text (eos_token_id): {} and {}.",
                                  spelled(known), spelled(ids)),
                      "A text ends at any of them.", file});
}

}  // namespace ladimo
