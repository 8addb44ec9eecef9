#include "run/export_report.h"

#include <algorithm>
#include <iterator>
#include <string>

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

template <>
struct Members<FitPrice::Numbers> {
  static constexpr std::tuple all{Member{"kl", &FitPrice::Numbers::kl},
                                  Member{"activated_fraction", &FitPrice::Numbers::activated_fraction}};
};

namespace {

constexpr FitState states[] = {FitState::as_it_is, FitState::fitted, FitState::finished};

nlohmann::json fit_to_json(const std::optional<FitPrice>& fit) {
  if (!fit) return nullptr;
  return {{"tokens", fit->tokens},
          {"wanted", members_to_json(fit->wanted)},
          {"as_it_is", members_to_json(fit->as_it_is)},
          {"fitted", members_to_json(fit->fitted)},
          {"finished", fit->finished ? members_to_json(*fit->finished) : nlohmann::json()},
          {"written", name_of(fit->written)}};
}

/// Absent in reports of earlier versions.
std::optional<FitPrice> fit_from_json(const JsonFields& fields) {
  if (!fields.has("fit")) return std::nullopt;
  const auto fit = fields.object("fit");
  const auto numbers = [&](const char* key) { return members_from_json<FitPrice::Numbers>(fit.object(key)); };
  FitPrice price{fit.integer("tokens"), numbers("wanted"), numbers("as_it_is"), numbers("fitted")};
  if (fit.has("finished")) price.finished = numbers("finished");
  if (!fit.has("written")) return price;  // of earlier versions: fitted
  const std::string written = fit.text("written");
  const auto* state = std::ranges::find_if(states, [&](FitState one) { return name_of(one) == written; });
  if (state == std::end(states) || (*state == FitState::finished && !price.finished))
    fit.refuse("written", "names no state of the layers");
  price.written = *state;
  return price;
}

constexpr const char* schema = "ladimo.report/1";

}  // namespace

const char* name_of(FitState state) {
  return state == FitState::as_it_is ? "as_it_is" : state == FitState::fitted ? "fitted" : "finished";
}

nlohmann::json to_json(const ExportReport& report) {
  auto measurements = nlohmann::json::array();
  for (const Measurement& measurement : report.measurements) measurements.push_back(to_json(measurement));
  return {{"schema", schema},
          {"program", report.program},
          {"recipe", to_json(report.recipe)},
          {"policy", to_json(report.policy)},
          {"verification", members_to_json(report.verification)},
          {"measurements", std::move(measurements)},
          {"fit", fit_to_json(report.fit)},
          {"format", report.format}};
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
    report.fit = fit_from_json(fields);
    if (fields.has("format")) report.format = fields.text("format");  // of earlier versions: native
    return report;
  });
}

nlohmann::json to_json(const ExportResult& result) {
  auto json = members_to_json(result);
  json.update(members_to_json(result.verification));
  json["fit"] = fit_to_json(result.fit);
  return json;
}

ExportResult export_result_from_json(const nlohmann::json& json) {
  const JsonFields fields(json, "result of the export");
  auto result = members_from_json<ExportResult>(fields);
  read_members(fields, result.verification);
  result.fit = fit_from_json(fields);
  return result;
}

}  // namespace ladimo
