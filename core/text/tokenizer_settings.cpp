#include "text/tokenizer_settings.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/json_fields.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;
using Tokens = std::map<std::int32_t, AddedToken>;

constexpr const char* named_tokens[] = {"bos_token", "eos_token",  "unk_token", "pad_token",
                                        "sep_token", "mask_token", "cls_token"};
constexpr const char* listed_tokens[] = {"additional_special_tokens", "extra_special_tokens"};

/// A JSON file of the model; an empty object where it is absent.
Json read_object(const ModelFiles& files, const std::string& name) {
  if (!files.has(name)) return Json::object();
  auto json = files.read_json(name);
  if (!json.is_object())
    throw Refusal(fmt::format("{} is not a JSON object.", name), "Download it again, or remove it.",
                  files.path(name));
  return json;
}

/// The spelling of a token, which is a string or an object with `content`.
std::optional<std::string> spelling(const Json& token) {
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string())
    return token["content"].get<std::string>();
  return std::nullopt;
}

/// The spelling under a key. An empty one where it is null, none where it is absent or no spelling.
std::optional<std::string> spelling(const Json& json, const std::string& key) {
  if (!json.contains(key)) return std::nullopt;
  return json[key].is_null() ? std::string() : spelling(json[key]);
}

/// Adds every token that `json` names as special.
void add_special(const Json& json, std::set<std::string>& special) {
  for (const char* key : named_tokens)
    if (const auto token = spelling(json, key)) special.insert(*token);
  for (const char* key : listed_tokens)
    if (json.contains(key) && json[key].is_structured())
      for (const Json& token : json[key])
        if (const auto content = spelling(token)) special.insert(*content);
}

bool flag(const JsonFields& fields, const char* key) { return fields.has(key) && fields.flag(key); }

/// added_tokens_decoder: {"32000": {"content": "<|im_end|>", "special": true, ...}}.
Tokens read_decoder(const JsonFields& config) {
  const auto decoder = config.object("added_tokens_decoder");
  Tokens tokens;
  for (const auto& [key, value] : decoder.value().items()) {
    std::int32_t id = -1;
    const auto [end, code] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (code != std::errc() || end != key.data() + key.size() || id < 0)
      decoder.refuse(key, "is not the id of a token");
    const auto token = decoder.object(key);
    tokens[id] = {id,
                  token.text("content"),
                  flag(token, "special"),
                  flag(token, "lstrip"),
                  flag(token, "rstrip"),
                  flag(token, "single_word")};
  }
  return tokens;
}

/// added_tokens.json: {"<|im_end|>": 32000}.
Tokens read_added(const JsonFields& file, const std::set<std::string>& special) {
  Tokens tokens;
  for (const auto& [content, value] : file.value().items()) {
    const int id = file.small(content);
    if (id < 0) file.refuse(content, "is not the id of a token");
    const bool looks_special = content.size() > 4 && content.starts_with("<|") && content.ends_with("|>");
    tokens[id] = {id, content, looks_special || special.contains(content)};
  }
  return tokens;
}

bool name_same_tokens(const Tokens& listed, const Tokens& all) {
  return std::ranges::all_of(listed, [&](const auto& entry) {
    const auto found = all.find(entry.first);
    return found != all.end() && found->second.content == entry.second.content;
  });
}

}  // namespace

TokenizerSettings read_tokenizer_settings(const ModelFiles& files) {
  const char *config_file = "tokenizer_config.json", *added_file = "added_tokens.json";
  const Json config = read_object(files, config_file), added = read_object(files, added_file),
             map = read_object(files, "special_tokens_map.json");
  const JsonFields fields(config, config_file, files.path(config_file));
  TokenizerSettings settings;
  std::set<std::string> special;
  add_special(config, special);
  add_special(map, special);
  auto tokens = read_added(JsonFields(added, added_file, files.path(added_file)), special);
  if (fields.has("added_tokens_decoder")) {
    auto decoder = read_decoder(fields);
    if (!name_same_tokens(tokens, decoder))
      settings.warnings.push_back(
          {"added_tokens.json and tokenizer_config.json (added_tokens_decoder) name different added tokens.",
           "Those of tokenizer_config.json are used, as in transformers 5.", files.path(added_file)});
    tokens = std::move(decoder);
  }
  for (auto& [id, token] : tokens)
    if (!token.content.empty()) settings.added.push_back(std::move(token));
  if (fields.has("add_bos_token")) settings.adds_bos = fields.flag("add_bos_token");
  const auto named = [&](const std::string& key) {
    const bool replaced = map.contains(key) && !fields.has("added_tokens_decoder");
    return spelling(replaced ? map : config, key);
  };
  settings.bos = named("bos_token");
  settings.eos = named("eos_token");
  // Models name tokens of their own, such as image_token, in the same way.
  for (const Json* file : {&config, &map})
    for (const auto& entry : file->items())
      if (const auto token = named(entry.key()); token && !token->empty() && entry.key().ends_with("_token"))
        settings.special[entry.key()] = *token;
  settings.prefix_every_part = flag(fields, "legacy");
  return settings;
}

}  // namespace ladimo
