// What `ladimo export` says of a model that it wrote.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "policy/policy_file.h"
#include "run/measurement.h"
#include "run/recipe.h"

namespace ladimo {

/// How the written model, read again, differs from the run.
struct Verification {
  std::int64_t tokens = 0;  // compared
  double max_logit_error = 0;
  double kl_against_run = 0;  // nats per token
};

/// report.json of a native model folder.
struct ExportReport {
  std::string program;  // "ladimo 1.0.0"
  Recipe recipe;
  Policy policy;
  Verification verification;
  std::vector<Measurement> measurements;  // of this very policy, oldest first
};

/// {schema, program, recipe, policy, verification{tokens, max_logit_error, kl_against_run}, measurements[]}.
nlohmann::json to_json(const ExportReport& report);
/// Throws Refusal with the file and the key.
ExportReport export_report_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});

/// What the command prints.
struct ExportResult {
  std::string format;
  std::filesystem::path path;
  std::vector<std::string> files;  // names, sorted
  std::uint64_t bytes = 0;         // of all of them
  Verification verification;
};

/// {format, path, files[], bytes, and the keys of `verification`}.
nlohmann::json to_json(const ExportResult& result);
/// Throws Refusal with the key.
ExportResult export_result_from_json(const nlohmann::json& json);

}  // namespace ladimo
