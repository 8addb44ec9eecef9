#include "run/export_report.h"

#include <fmt/format.h>

#include "base/json_fields.h"

namespace ladimo {
namespace {

constexpr const char* schema = "ladimo.report/1";

nlohmann::json to_json(const Verification& verification) {
  return {{"tokens", verification.tokens},
          {"max_logit_error", verification.max_logit_error},
          {"kl_against_run", verification.kl_against_run}};
}

Verification verification_from_json(const JsonFields& fields) {
  return {fields.integer("tokens"), fields.number("max_logit_error"), fields.number("kl_against_run")};
}

}  // namespace

nlohmann::json to_json(const ExportReport& report) {
  auto measurements = nlohmann::json::array();
  for (const Measurement& measurement : report.measurements) measurements.push_back(to_json(measurement));
  return {{"schema", schema},
          {"program", report.program},
          {"recipe", to_json(report.recipe)},
          {"policy", to_json(report.policy)},
          {"verification", to_json(report.verification)},
          {"measurements", std::move(measurements)}};
}

ExportReport export_report_from_json(const nlohmann::json& json, const std::filesystem::path& path) {
  return naming_file(path, [&] {
    const JsonFields fields(json, "report of the export", path);
    if (fields.text("schema") != schema) fields.refuse("schema", fmt::format("is not {}", schema));
    ExportReport report{fields.text("program"),
                        recipe_from_json(fields.at("recipe"), path),
                        policy_from_json(fields.at("policy"), path),
                        verification_from_json(fields.object("verification")),
                        {}};
    for (const JsonFields& measurement : fields.objects("measurements"))
      report.measurements.push_back(measurement_from_json(measurement.value()));
    return report;
  });
}

nlohmann::json to_json(const ExportResult& result) {
  nlohmann::json json{{"format", result.format},
                      {"path", result.path.string()},
                      {"files", result.files},
                      {"bytes", result.bytes}};
  json.update(to_json(result.verification));
  return json;
}

ExportResult export_result_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the export");
  return {fields.text("format"), fields.text("path"), fields.texts("files"),
          static_cast<std::uint64_t>(fields.integer("bytes")), verification_from_json(fields)};
}

}  // namespace ladimo
