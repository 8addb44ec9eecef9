#include "run/export_report.h"

#include <fmt/format.h>

#include "base/json_members.h"

namespace ladimo {

template <>
struct Members<Verification> {
  static constexpr std::tuple all{Member{"tokens", &Verification::tokens},
                                  Member{"max_logit_error", &Verification::max_logit_error},
                                  Member{"kl_against_run", &Verification::kl_against_run}};
};

template <>
struct Members<ExportResult> {
  static constexpr std::tuple all{Member{"format", &ExportResult::format},
                                  Member{"path", &ExportResult::path}, Member{"files", &ExportResult::files},
                                  Member{"bytes", &ExportResult::bytes}};
};

namespace {

constexpr const char* schema = "ladimo.report/1";

}  // namespace

nlohmann::json to_json(const ExportReport& report) {
  auto measurements = nlohmann::json::array();
  for (const Measurement& measurement : report.measurements) measurements.push_back(to_json(measurement));
  return {{"schema", schema},
          {"program", report.program},
          {"recipe", to_json(report.recipe)},
          {"policy", to_json(report.policy)},
          {"verification", members_to_json(report.verification)},
          {"measurements", std::move(measurements)}};
}

ExportReport export_report_from_json(const nlohmann::json& json, const std::filesystem::path& path) {
  return naming_file(path, [&] {
    const JsonFields fields(json, "report of the export", path);
    if (fields.text("schema") != schema) fields.refuse("schema", fmt::format("is not {}", schema));
    ExportReport report{fields.text("program"),
                        recipe_from_json(fields.at("recipe"), path),
                        policy_from_json(fields.at("policy"), path),
                        members_from_json<Verification>(fields.object("verification")),
                        {}};
    for (const JsonFields& measurement : fields.objects("measurements"))
      report.measurements.push_back(measurement_from_json(measurement.value()));
    return report;
  });
}

nlohmann::json to_json(const ExportResult& result) {
  auto json = members_to_json(result);
  json.update(members_to_json(result.verification));
  return json;
}

ExportResult export_result_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the export");
  auto result = members_from_json<ExportResult>(fields);
  read_members(fields, result.verification);
  return result;
}

}  // namespace ladimo
