// What `ladimo export` reports about a model that it wrote.
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

/// How far the written model, read again, differs from the run.
struct Verification {
  std::int64_t tokens = 0;  // tokens compared
  double max_logit_error = 0;
  double kl_against_run = 0;  // nats per token
};

/// report.json of a native model folder.
struct ExportReport {
  std::string program;  // "ladimo 1.0.0"
  Recipe recipe;
  Policy policy;
  Verification verification;
  std::vector<Measurement> measurements;  // of this policy, oldest first
};

/// Returns {schema, program, recipe, policy, verification{tokens, max_logit_error, kl_against_run},
/// measurements[]}.
nlohmann::json to_json(const ExportReport& report);
/// Reads what to_json() writes. Throws Refusal that names the file and the key.
ExportReport export_report_from_json(const nlohmann::json& json, const std::filesystem::path& path = {});

/// What `ladimo export` prints.
struct ExportResult {
  std::string format;
  std::filesystem::path path;
  std::vector<std::string> files;  // file names, sorted
  std::uint64_t bytes = 0;         // total size of the files
  Verification verification;
};

/// Returns {format, path, files[], bytes, and the keys of `verification`}.
nlohmann::json to_json(const ExportResult& result);
/// Reads what to_json() writes. Throws Refusal that names the key.
ExportResult export_result_from_json(const nlohmann::json& json);

}  // namespace ladimo
