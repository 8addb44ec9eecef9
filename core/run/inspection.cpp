#include "run/inspection.h"

#include "base/json_fields.h"

namespace ladimo {
namespace {

nlohmann::json to_json(const Inspection::Native& native) {
  return {{"origin", native.origin.string()},
          {"fingerprint", native.fingerprint},
          {"routed_experts", native.routed_experts},
          {"dense_layers", native.dense_layers},
          {"converted_layers", native.converted_layers}};
}

Inspection::Native native_from_json(const JsonFields& fields) {
  return {fields.text("origin"), fields.text("fingerprint"), fields.small("routed_experts"),
          fields.smalls("dense_layers"), fields.smalls("converted_layers")};
}

}  // namespace

nlohmann::json to_json(const Inspection& inspection) {
  auto json = to_json(inspection.config);
  json["native"] = inspection.native ? to_json(*inspection.native) : nlohmann::json();
  json["fingerprint"] = or_null(inspection.fingerprint);
  json["weight_bytes"] = or_null(inspection.weight_bytes);
  json["threads"] = inspection.threads;
  json["problems"] = to_json(inspection.problems);
  return json;
}

Inspection inspection_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "description of the model");
  Inspection inspection;
  inspection.config = model_config_from_json(json);
  if (fields.has("native")) inspection.native = native_from_json(fields.object("native"));
  if (fields.has("fingerprint")) inspection.fingerprint = fields.text("fingerprint");
  if (fields.has("weight_bytes")) inspection.weight_bytes = fields.small("weight_bytes");
  inspection.threads = fields.small("threads");
  inspection.problems = problems_from(fields);
  return inspection;
}

}  // namespace ladimo
