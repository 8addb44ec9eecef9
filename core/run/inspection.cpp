#include "run/inspection.h"

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<Inspection::Native> {
  static constexpr std::tuple all{Member{"origin", &Inspection::Native::origin},
                                  Member{"fingerprint", &Inspection::Native::fingerprint},
                                  Member{"routed_experts", &Inspection::Native::routed_experts},
                                  Member{"dense_layers", &Inspection::Native::dense_layers},
                                  Member{"converted_layers", &Inspection::Native::converted_layers}};
};

template <>
struct Members<Inspection> {
  static constexpr std::tuple all{Member{"native", &Inspection::native},
                                  Member{"file_format", &Inspection::file_format},
                                  Member{"quantisation", &Inspection::quantisation},
                                  Member{"fingerprint", &Inspection::fingerprint},
                                  Member{"weight_bytes", &Inspection::weight_bytes},
                                  Member{"threads", &Inspection::threads}};
};

nlohmann::json to_json(const Inspection& inspection) {
  auto json = to_json(inspection.config);
  json.update(members_to_json(inspection));
  json["problems"] = to_json(inspection.problems);
  json["warnings"] = to_json(inspection.warnings);
  return json;
}

Inspection inspection_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "description of the model");
  auto inspection = members_from_json<Inspection>(fields);
  inspection.config = model_config_from_json(json);
  inspection.problems = problems_from(fields);
  if (fields.has("warnings")) inspection.warnings = problems_from(fields, "warnings");
  return inspection;
}

}  // namespace ladimo
