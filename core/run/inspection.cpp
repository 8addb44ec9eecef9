#include "run/inspection.h"

#include "base/json_members.h"
#include "checkpoint/gguf_model.h"
#include "checkpoint/license.h"
#include "run/plan.h"

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
                                  Member{"tokenizer", &Inspection::tokenizer_kind},
                                  Member{"license", &Inspection::license},
                                  Member{"fingerprint", &Inspection::fingerprint},
                                  Member{"weight_bytes", &Inspection::weight_bytes},
                                  Member{"threads", &Inspection::threads}};
};

Inspection describe(const CheckedModel& model) {
  Inspection inspection;
  inspection.config = model.found.config;
  inspection.problems = model.problems;
  inspection.warnings = model.warnings;
  inspection.threads = engine_threads();
  if (model.tokenizer) inspection.tokenizer_kind = model.tokenizer->kind();
  if (model.found.files) inspection.license = license_of(*model.found.files);
  if (!model.found.opened) return inspection;
  const Checkpoint& checkpoint = *model.found.opened;
  inspection.file_format = checkpoint.format() == FileFormat::gguf ? "gguf" : "safetensors";
  if (auto quantisation = most_common_quantisation(checkpoint.store()); !quantisation.empty())
    inspection.quantisation = std::move(quantisation);
  return inspection;
}

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
