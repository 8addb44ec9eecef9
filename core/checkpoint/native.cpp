#include "checkpoint/native.h"

#include <fmt/format.h>

#include "base/json_fields.h"

namespace ladimo {
namespace {

using Json = nlohmann::json;

constexpr const char* model_type = "ladimo";
constexpr const char* schema = "ladimo.model/1";

NativeLayer layer_from_json(const JsonFields& fields, std::size_t index) {
  if (fields.integer("layer") != static_cast<std::int64_t>(index))
    fields.refuse("layer", "does not count up from 0");
  NativeLayer layer;
  for (const std::string& set : fields.texts("weights")) {
    if (set != "dense" && set != "converted") fields.refuse("weights", "names neither dense nor converted");
    (set == "dense" ? layer.dense : layer.converted) = true;
  }
  if (!layer.dense && !layer.converted) fields.refuse("weights", "is empty");
  if (!layer.converted) return layer;
  for (const auto& [key, value] : fields.at("metadata").items()) {
    if (!value.is_string()) fields.refuse("metadata", fmt::format("has a {} that is not a string", key));
    layer.metadata.emplace(key, value.get<std::string>());
  }
  return layer;
}

NativeSection section_from_json(const JsonFields& fields) {
  if (fields.text("schema") != schema) fields.refuse("schema", fmt::format("is not {}", schema));
  NativeSection section;
  section.origin = fields.text("origin");
  section.fingerprint = fields.text("fingerprint");
  section.model_type = fields.text("model_type");
  section.routed_experts = fields.small("routed_experts");
  if (section.routed_experts < 1) fields.refuse("routed_experts", "is less than 1");
  const auto layers = fields.objects("layers");
  for (std::size_t i = 0; i < layers.size(); ++i) section.layers.push_back(layer_from_json(layers[i], i));
  return section;
}

}  // namespace

bool is_native(const Json& config) {
  return config.is_object() && config.contains("model_type") && config["model_type"] == model_type;
}

NativeSection native_section(const Json& config, const std::filesystem::path& path) {
  return naming_file(
      path, [&] { return section_from_json(JsonFields(config, "config.json", path).object("ladimo")); });
}

Json original_config(Json config) {
  const auto section = config["ladimo"];
  const auto original_type = section["model_type"].get<std::string>();
  config.erase("ladimo");
  if (section.contains("architectures")) {  // folders of earlier versions have the original's at its place
    config.erase("architectures");
    config.erase("auto_map");
    if (!section["architectures"].is_null()) config["architectures"] = section["architectures"];
  }
  config.erase("model_type");
  if (!original_type.empty()) config["model_type"] = original_type;
  return config;
}

Json native_config(Json original, const NativeSection& section) {
  auto layers = Json::array();
  for (std::size_t i = 0; i < section.layers.size(); ++i) {
    const NativeLayer& layer = section.layers[i];
    Json entry{{"layer", i}, {"weights", Json::array()}};
    if (layer.dense) entry["weights"].push_back("dense");
    if (layer.converted) {
      entry["weights"].push_back("converted");
      entry["metadata"] = layer.metadata;
    }
    layers.push_back(std::move(entry));
  }
  const Json architectures = original.contains("architectures") ? original["architectures"] : Json();
  original["model_type"] = model_type;
  original["architectures"] = {"LadimoForCausalLM"};
  original["auto_map"] = {{"AutoConfig", "configuration_ladimo.LadimoConfig"},
                          {"AutoModelForCausalLM", "modeling_ladimo.LadimoForCausalLM"}};
  original["ladimo"] = {{"schema", schema},
                        {"origin", section.origin.string()},
                        {"fingerprint", section.fingerprint},
                        {"model_type", section.model_type},
                        {"architectures", architectures},
                        {"routed_experts", section.routed_experts},
                        {"layers", std::move(layers)}};
  return original;
}

std::string native_prefix(std::int64_t layer) { return fmt::format("model.layers.{}.moe.", layer); }

}  // namespace ladimo
